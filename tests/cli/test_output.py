"""Rows on stdout in every format; the same writer whatever they come from."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sys
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.text import Text

from asrdq.cli.output import FOR_PEOPLE, Format, render, write

ROWS = pa.table(
    {
        "name": ["a|b", None],
        "share": [0.123456, float("nan")],
        "reasons": [["low, very", "größer"], []],
    }
)


@pytest.mark.parametrize("output", FOR_PEOPLE)
def test_control_characters_do_nothing_to_a_terminal(
    output: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    render(pa.table({"text": ["\x1b[2Jgone\x07\x9b31m", "שלום"]}), output)
    told = capsys.readouterr().out
    assert "␛[2Jgone␇\ufffd31m" in told.replace("\\[", "[")
    assert "שלום" in told
    assert not {"\x1b", "\x07", "\x9b"} & set(told)


def test_machines_get_control_characters_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    render(pa.table({"text": ["\x1b[2J"]}), Format.JSON)
    assert json.loads(capsys.readouterr().out) == [{"text": "\x1b[2J"}]


def test_no_number_is_broken_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    columns = {f"change {number}": ["-13.17", "-7.46 … -5.38"] for number in range(8)}
    render(pa.table({"text": ["word " * 20] * 2, **columns}))
    lines = capsys.readouterr().out.splitlines()
    assert sum("-7.46 … -5.38   -7.46 … -5.38" in line for line in lines) == 1
    render(pa.table({"text": ["word " * 20], "rows": [1712]}))
    lines = capsys.readouterr().out.splitlines()
    assert max(len(Text.from_ansi(line)) for line in lines) <= 60
    assert sum("1712" in line for line in lines) == 1


def test_bytes_are_hex_digits(capsys: pytest.CaptureFixture[str]) -> None:
    render(pa.table({"digest": [b"\x00\xff"]}), Format.JSON)
    assert json.loads(capsys.readouterr().out) == [{"digest": "00ff"}]


def test_json_is_complete_and_strict(capsys: pytest.CaptureFixture[str]) -> None:
    render(ROWS, Format.JSON)
    assert json.loads(capsys.readouterr().out) == [
        {"name": "a|b", "share": 0.123456, "reasons": ["low, very", "größer"]},
        {"name": None, "share": None, "reasons": []},
    ]


def test_csv_keeps_nested_values_as_json_in_their_own_letters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    render(ROWS, Format.CSV)
    first, second = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert first["name"] == "a|b"
    assert first["reasons"] == '["low, very", "größer"]'
    assert second["name"] == ""


def test_a_file_holds_what_the_screen_shows(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for output in set(Format) - set(FOR_PEOPLE):
        file = io.BytesIO()
        write(ROWS.to_reader(), output, file)
        render(ROWS, output)
        assert capsysbinary.readouterr().out == file.getvalue()
    render(ROWS, Format.PARQUET)
    kept = pq.read_table(io.BytesIO(capsysbinary.readouterr().out))
    assert kept.drop(["share"]) == ROWS.drop(["share"])


@pytest.mark.parametrize("output", Format)
def test_a_stream_is_written_as_a_table_is(
    output: Format, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    render(ROWS, output)
    whole = capsysbinary.readouterr().out
    render(ROWS.to_reader(), output)
    assert capsysbinary.readouterr().out == whole != b""


def test_values_that_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    values = {"n": Decimal("3"), "x": Decimal("0.5"), "at": dt.date(2026, 1, 2), "for": dt.time(3)}
    render(pa.Table.from_pylist([{**values, "nested": [Decimal("4")]}]), Format.JSON)
    assert json.loads(capsys.readouterr().out) == [
        {"n": 3, "x": 0.5, "at": "2026-01-02", "for": "03:00:00", "nested": [4]}
    ]


def test_markdown_escapes_bars(capsys: pytest.CaptureFixture[str]) -> None:
    render(ROWS, Format.MARKDOWN)
    assert capsys.readouterr().out.splitlines() == [
        "| name | share | reasons |",
        "| --- | --- | --- |",
        "| a\\|b | 0.1235 | low, very, größer |",
        "|  | nan |  |",
    ]


def test_markdown_and_html_in_a_value_stay_text(capsys: pytest.CaptureFixture[str]) -> None:
    render(pa.table({"a<b": ["![x](http://evil) <img src=x>\n| `b` | *c* \\"]}), Format.MARKDOWN)
    head, _, row = capsys.readouterr().out.splitlines()
    assert head == "| a\\<b |"
    assert row == "| !\\[x\\](http://evil) \\<img src=x\\>␊\\| \\`b\\` \\| \\*c\\* \\\\ |"


@pytest.mark.parametrize("output", FOR_PEOPLE)
def test_a_value_stays_on_its_line_and_is_no_command_of_a_runner(
    output: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    render(pa.table({"n": [1], "text": ["a\r\n::error::b\t##[error]c"]}), output)
    told = capsys.readouterr().out
    assert "a␍␊::error::b␉## " in told
    assert "##[" not in told.replace("\\", "")
    assert not any(line.strip().startswith("::") for line in told.splitlines())


def test_table_shows_fifty_rows_and_says_that_there_are_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    batches = pa.table({"n": range(1000, 1060)}).to_batches(max_chunksize=40)
    render(pa.Table.from_batches(batches))
    said = capsys.readouterr()
    assert "1049" in said.out
    assert "1050" not in said.out
    assert "the first 50 rows" in said.err
    render(pa.table({"n": range(1000, 1050)}))
    said = capsys.readouterr()
    assert "1049" in said.out
    assert said.err == ""


def test_table_shows_markup_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    render(pa.table({"text": ["[bold]uh[/bold]"]}))
    assert "[bold]uh[/bold]" in capsys.readouterr().out


def test_a_table_in_a_pipe_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    render(pa.table({"text": ["word " * 60], "share": [0.5]}))
    assert ("word " * 60).strip() in capsys.readouterr().out


@pytest.mark.parametrize("output", sorted(set(Format) - {Format.PARQUET}))
def test_no_rows_is_fine(output: Format, capsys: pytest.CaptureFixture[str]) -> None:
    render(ROWS.slice(0, 0), output)
    said = capsys.readouterr().out
    assert said.strip() == "[]" if output is Format.JSON else "name" in said
