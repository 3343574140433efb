"""Results on stdout in four formats; progress and advice on stderr."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pytest

from asrdq import console
from asrdq.console import Format

ROWS = pa.table(
    {
        "name": ["a|b", None],
        "share": [0.123456, float("nan")],
        "reasons": [["low, very", "no_alignment"], []],
    }
)


def test_json_is_complete_and_strict(capsys: pytest.CaptureFixture[str]) -> None:
    console.render(ROWS, Format.JSON)
    assert json.loads(capsys.readouterr().out) == [
        {"name": "a|b", "share": 0.123456, "reasons": ["low, very", "no_alignment"]},
        {"name": None, "share": None, "reasons": []},
    ]


def test_csv_keeps_nested_values_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    console.render(ROWS, Format.CSV)
    first, second = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert first["name"] == "a|b"
    assert json.loads(first["reasons"]) == ["low, very", "no_alignment"]
    assert second["name"] == ""


def test_markdown_escapes_bars(capsys: pytest.CaptureFixture[str]) -> None:
    console.render(ROWS, Format.MARKDOWN)
    assert capsys.readouterr().out.splitlines() == [
        "| name | share | reasons |",
        "| --- | --- | --- |",
        "| a\\|b | 0.1235 | low, very, no_alignment |",
        "|  | nan |  |",
    ]


def test_table_shows_fifty_rows_and_counts_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    console.render(pa.table({"n": range(1000, 1060)}))
    said = capsys.readouterr()
    assert "1049" in said.out
    assert "1050" not in said.out
    assert "10 more rows" in said.err


def test_table_shows_markup_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console.render([{"text": "[bold]uh[/bold]"}])
    assert "[bold]uh[/bold]" in capsys.readouterr().out


def test_a_table_in_a_pipe_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    console.render([{"text": "word " * 60, "share": 0.5}])
    assert ("word " * 60).strip() in capsys.readouterr().out


@pytest.mark.parametrize("output", Format)
def test_no_rows_is_fine(output: Format, capsys: pytest.CaptureFixture[str]) -> None:
    console.render(ROWS.slice(0, 0), output)
    said = capsys.readouterr().out
    assert said.strip() == "[]" if output is Format.JSON else "name" in said


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
    assert capsys.readouterr().err == "next: asrdq gate train  gives the verdict\n"


def test_advice_is_held_back_where_the_next_command_follows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with console.without_advice():
        console.next_step("asrdq gate train")
    assert capsys.readouterr().err == ""
    console.next_step("asrdq gate train")
    assert "asrdq gate train" in capsys.readouterr().err
