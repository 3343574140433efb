"""Progress, remarks and advice on stderr."""

from __future__ import annotations

import os
import select
import sys

import pytest

from asrdq import console


def test_progress_off_a_terminal_writes_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("probe", 4, "clips") as bar:
        bar.advance(3, speed="12 × real time")
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("probe: 3 of 4 clips, ")
    assert line.endswith("s left, 12 × real time")


def test_progress_writes_a_line_when_time_has_passed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "LINE_EVERY_S", 0.0)
    with console.progress("ingest", None, "rows") as bar:
        bar.advance(1000)
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_task_without_a_size_that_had_nothing_to_do_is_not_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with console.progress("hypotheses", None, "MB"):
        pass
    with console.progress("score", 0, "utterances"):
        pass
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("score: 0 ")


@pytest.mark.parametrize(
    ("total", "known", "told"),
    [(None, 0, "3 MB"), (8.0, 0, "3/8 MB"), (None, 2, "5 MB"), (8.0, 2, "5/8 MB")],
)
def test_progress_on_a_terminal_draws_a_bar(
    monkeypatch: pytest.MonkeyPatch, total: float | None, known: int, told: str
) -> None:
    """A real terminal: what is drawn there was never drawn into a pipe."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with console.progress("hypotheses", total, "MB") as bar:
            bar.advance(3)
            bar.skip(known)
        monkeypatch.undo()
        drawn = b""
        while told.encode() not in drawn:
            assert select.select([ours], [], [], 0)[0], drawn
            drawn += os.read(ours, 65_536)
    os.close(ours)
    assert b"hypotheses" in drawn


def test_quiet_silences_all_but_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    console.set_quiet(True)
    try:
        with console.progress("probe", 4, "clips") as bar:
            bar.advance(4)
        console.say("hello")
        console.next_step("asrdq gate train")
        console.warn("[careful]")
    finally:
        console.set_quiet(False)
    assert capsys.readouterr().err == "! [careful]\n"


def test_next_step_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    console.next_step("asrdq gate train", "gives the verdict")
    assert capsys.readouterr().err == "next: asrdq gate train\n      gives the verdict\n"


def test_next_step_names_the_workspace_that_had_to_be_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console.set_workspace("my \\1 data")
    try:
        console.next_step("asrdq sample asrdq && asrdq audit asrdq")
    finally:
        console.set_workspace(None)
    named = "asrdq -w 'my \\1 data'"
    assert capsys.readouterr().err == f"next: {named} sample asrdq && {named} audit asrdq\n"


def test_advice_is_held_back_where_the_next_command_follows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with console.without_advice():
        console.next_step("asrdq gate train")
    assert capsys.readouterr().err == ""
    console.next_step("asrdq gate train")
    assert "asrdq gate train" in capsys.readouterr().err


def test_what_is_said_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("a [/b] [bold]c :smile: \x1b[2J", "dim")
    console.next_step("asrdq check [/x] :x:", "[/y]")
    said = capsys.readouterr().err
    assert said == "a [/b] [bold]c :smile: ␛[2J\nnext: asrdq check [/x] :x:\n      [/y]\n"


def test_what_was_known_before_is_no_part_of_the_rate(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 2.0, 4.0, 4.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with console.progress("align", 100, "clips") as bar:
        bar.skip(90)
        bar.advance(8)
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "align: 98 of 100 clips, 90 of them known before, 2 clips/s, 1 s left"


def test_where_all_was_known_before_there_is_no_rate(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("align", 24, "clips") as bar:
        bar.skip(24)
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "align: 24 of 24 clips, 24 of them known before"
