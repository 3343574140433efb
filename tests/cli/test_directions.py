"""Text from the right beside text from the left, as a terminal that knows both puts it in order."""

from __future__ import annotations

import sys

import pyarrow as pa
import pytest

from asrdq.cli.alignments import heading, lines
from asrdq.cli.directions import isolated
from asrdq.cli.output import Format, render
from asrdq.rounds.alignments import side_by_side

FSI, RLI, PDI, RLM = "\u2068", "\u2067", "\u2069", "\u200f"


@pytest.mark.parametrize("text", ["", "plain (text) 10:30!", "größer 東京", "½ – “x”"])
def test_text_from_the_left_stays_as_it_is(text: str) -> None:
    assert isolated(text) == text


@pytest.mark.parametrize("text", ["שלום", "2.5 מ״ג Aspirin?", "call שיחה-12", "مرحبا", "٣٫٥"])
def test_text_from_the_right_is_an_isolate(text: str) -> None:
    assert isolated(text) == f"{FSI}{text}{PDI}"


def test_isolates_of_the_text_itself_neither_end_ours_nor_outlive_it() -> None:
    assert isolated(f"א{PDI}ב") == f"{FSI}אב{PDI}"
    assert isolated(f"א{RLI}ב") == f"{FSI}א{RLI}ב{PDI}{PDI}"
    assert isolated(f"{RLI}א{PDI} b") == f"{FSI}{RLI}א{PDI} b{PDI}"
    assert isolated("\u202ex") == f"{FSI}\u202ex{PDI}"  # an override would turn the line around


def test_cells_of_a_table_are_isolates_and_their_padding_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = pa.table({"text": ["2.5 מ״ג?", "a longer text"], "rows": [12, 3]})
    render(table)
    _, _, _, first, second, _ = capsys.readouterr().out.splitlines()
    assert first.split("  ")[0].strip() == f"{FSI}2.5 מ״ג?{PDI}"
    assert second.split()[-1] == "3"
    assert FSI not in second
    render(table, Format.MARKDOWN)
    assert FSI not in capsys.readouterr().out


def test_each_line_of_a_folded_cell_is_an_isolate(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    render(pa.table({"text": ["שלום עולם " * 8]}))
    told = [line.strip() for line in capsys.readouterr().out.splitlines() if "ל" in line]
    assert len(told) > 1
    assert all(line[0] == FSI and line[-1] == PDI for line in told)


def test_an_alignment_runs_as_its_reference_does() -> None:
    texts = ("הוא לקח 2.5 aspirin", "הוא לקח 2.5 aspirin")
    drawn = lines(side_by_side(texts, "הוא לקח 25 aspirin", "הוא aspirin"), ("ref", "a", "b"), 90)
    plain = [line.plain for line in drawn]
    for line in plain:
        assert line[5] == RLI
        assert line.endswith(f" {RLM}{PDI}")
    columns = [[part for part in line[6:-2].split(FSI) if part] for line in plain]
    assert [[part.partition(PDI)[0] for part in line] for line in columns] == [
        ["הוא", "לקח", "2.5", "aspirin"],
        ["הוא", "לקח", "[25]", "aspirin"],
        ["הוא", "***", "***", "aspirin"],
    ]
    widths = {tuple(len(part) for part in line) for line in columns}
    assert len(widths) == 1  # the columns stand under one another from the right too


def test_an_id_does_not_take_the_figures_after_it_along() -> None:
    row = {"kind": "fixed", "utt_id": "שיחה-1", "errors_before": 1, "errors_after": 0}
    assert heading(row) == f"fixed {FSI}שיחה-1{PDI}: 1 → 0 errors"
