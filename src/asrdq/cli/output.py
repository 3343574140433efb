"""How rows are written: tables for people, and JSON, CSV and Parquet for machines."""

from __future__ import annotations

import enum
import json
import re
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

from asrdq import console
from asrdq.cli.directions import isolated_text
from asrdq.results import Result, plain

if TYPE_CHECKING:
    import pyarrow as pa

MAX_TABLE_ROWS = 50
UNFOLDED_WIDTH = 10_000
"""Width of tables that go to a file or a pipe: as wide as their values are."""
_MARKDOWN = re.compile(r"[\\`*\[\]<>|]")
_LINE_SIGNS = str.maketrans({"\n": "␊", "\t": "␉"})
MAX_WHOLE = 24
"""Columns of a table are never narrower than this or their values: half a number is another one."""


class Format(enum.StrEnum):
    """How a command writes its result."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    PARQUET = "parquet"


FOR_PEOPLE = (Format.TABLE, Format.MARKDOWN)


def emit(result: Result, output: Format = Format.TABLE) -> None:
    """Write a result to stdout: the whole of it as JSON, otherwise its main table."""
    if output is Format.JSON:
        print(result.to_json())
    else:
        render(result.arrow(), output)


def emit_in_words(result: Result, output: Format = Format.TABLE) -> None:
    """Write a result to stdout as `emit` does, but its summary in the place of a table."""
    if output is Format.TABLE:
        print(result.summary())
    else:
        emit(result, output)


def render(rows: pa.Table | pa.RecordBatchReader, output: Format = Format.TABLE) -> None:
    """Write rows to stdout, streams as they flow.

    The table for people shows at most 50 rows and says so where there are more; the other
    formats are complete.
    """
    import pyarrow as pa

    reader = rows.to_reader() if isinstance(rows, pa.Table) else rows
    if output is Format.TABLE:
        _print_table(reader)
    elif output is Format.MARKDOWN:
        _print_markdown(reader)
    else:
        sys.stdout.flush()
        write(reader, output, sys.stdout.buffer)


def write(rows: pa.RecordBatchReader, output: Format, stream: BinaryIO) -> None:
    """Write rows to a stream in a format for machines; nested values are JSON in CSV."""
    writers = {Format.JSON: _write_json, Format.CSV: _write_csv, Format.PARQUET: _write_parquet}
    writers[output](rows, stream)
    stream.flush()


def _write_json(rows: pa.RecordBatchReader, stream: BinaryIO) -> None:
    before = b"["
    for batch in rows:
        for row in batch.to_pylist():
            stream.write(before + _json(row).encode())
            before = b",\n "
    stream.write(b"]\n" if before != b"[" else b"[]\n")


def _json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, default=_json_value)


def _json_value(value: object) -> object:
    """Return whole decimals, which sums of integers are, as integers; all else as text."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return float(value) if isinstance(value, Decimal) else str(value)


def _write_csv(rows: pa.RecordBatchReader, stream: BinaryIO) -> None:
    import pyarrow as pa
    from pyarrow import csv

    nested = [i for i, field in enumerate(rows.schema) if pa.types.is_nested(field.type)]
    schema = rows.schema
    for index in nested:
        schema = schema.set(index, pa.field(schema.names[index], pa.string()))
    bare = not any(set(name) & set(',"\r\n') for name in schema.names)
    options = csv.WriteOptions(
        quoting_style="needed", quoting_header="none" if bare else "all_valid"
    )
    with csv.CSVWriter(stream, schema, write_options=options) as writer:
        for batch in rows:
            columns = batch.columns
            for index in nested:
                texts = [None if v is None else _json(v) for v in columns[index].to_pylist()]
                columns[index] = pa.array(texts, pa.string())
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def _write_parquet(rows: pa.RecordBatchReader, stream: BinaryIO) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(stream, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)


def _print_markdown(rows: pa.RecordBatchReader) -> None:
    names = rows.schema.names
    print("| " + " | ".join(map(_plain_markdown, names)) + " |")
    print("|" + " --- |" * len(names))
    for batch in rows:
        for record in batch.to_pylist():
            cells = (_plain_markdown(cell(record[name])) for name in names)
            print("| " + " | ".join(cells) + " |")


def _plain_markdown(text: str) -> str:
    """Return a text that Markdown and HTML in it show as it is."""
    return _MARKDOWN.sub(r"\\\g<0>", text)


def _print_table(rows: pa.RecordBatchReader) -> None:
    records: list[dict[str, Any]] = []
    for batch in rows:
        records += batch.slice(0, MAX_TABLE_ROWS + 1 - len(records)).to_pylist()
        if len(records) > MAX_TABLE_ROWS:
            break
    _draw(rows.schema.names, records[:MAX_TABLE_ROWS])
    if len(records) > MAX_TABLE_ROWS:
        console.say(f"the first {MAX_TABLE_ROWS} rows; --format json gives all", "dim")


def _draw(names: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        values = [record[name] for record in records if record[name] is not None]
        numeric = bool(values) and all(
            isinstance(v, (int, float)) and not isinstance(v, bool) for v in values
        )
        longest = max((len(cell(value)) for value in values), default=0)
        drawn.add_column(
            name,
            justify="right" if numeric else "left",
            overflow="fold",
            min_width=min(longest, MAX_WHOLE),
        )
    for record in records:
        drawn.add_row(*(isolated_text(cell(record[name])) for name in names))
    paper = Console(file=sys.stdout, highlight=False, width=UNFOLDED_WIDTH)
    if sys.stdout.isatty():
        least = Measurement.get(paper, paper.options, drawn).minimum
        paper.width = max(Console(file=sys.stdout).width, least)
    paper.print(drawn, crop=False)


def cell(value: Any) -> str:
    """Return a value as a table shows it: empty for null, four significant digits for floats.

    Control characters are shown as pictures of themselves, so that a value stays on its line, where
    a runner of GitHub takes it for no command; nor does it in the middle of one (`##[`).
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.1f}"
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(item) for item in value)
    if isinstance(value, dict):
        return _json(value)
    return console.visible(str(value)).translate(_LINE_SIGNS).replace("##[", "## [")
