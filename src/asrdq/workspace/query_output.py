"""Rows of a user's query to standard output or a file, as a stream in every format."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from asrdq import console
from asrdq.errors import UsageError
from asrdq.results import plain
from asrdq.workspace.sandbox import user_query

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace.workspace import Workspace

OutputFormat = Literal["table", "json", "csv", "markdown", "parquet"]


def write_query(
    workspace: Workspace, sql: str, output: OutputFormat, file: Path | None = None
) -> None:
    """Run a read-only query and write its rows.

    Args:
        workspace: Whose tables are asked.
        sql: One SELECT.
        output: How rows are written; `table` and `markdown` are for people and not for files.
        file: Where to; standard output by default. It appears complete or not at all.

    Raises:
        UsageError: The query does anything but read, or the file cannot be written.
    """
    if file is not None and output in ("table", "markdown"):
        raise UsageError(f"'{output}' is for the screen", hint="--format csv, json or parquet")
    with user_query(workspace.store, sql) as rows:
        if output in ("table", "markdown"):
            _show(rows, console.Format(output))
        elif file is None:
            sys.stdout.flush()
            _write(rows, output, sys.stdout.buffer)
        else:
            _write_file(rows, output, file)


def _show(rows: pa.RecordBatchReader, output: console.Format) -> None:
    import pyarrow as pa

    if output is console.Format.MARKDOWN:
        console.render(rows.read_all(), output)
        return
    batches, count = [], 0
    for batch in rows:
        batches.append(batch)
        count += batch.num_rows
        if count > console.MAX_TABLE_ROWS:
            break
    head = pa.Table.from_batches(batches, rows.schema).slice(0, console.MAX_TABLE_ROWS)
    console.render(head, output)
    if count > console.MAX_TABLE_ROWS:
        console.say(f"the first {console.MAX_TABLE_ROWS} rows; --format csv gives all")


def _write_file(rows: pa.RecordBatchReader, output: OutputFormat, file: Path) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("wb") as stream:
            _write(rows, output, stream)
        draft.replace(file)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(file)) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _write(rows: pa.RecordBatchReader, output: OutputFormat, stream: BinaryIO) -> None:
    writers = {"json": _write_json, "csv": _write_csv, "parquet": _write_parquet}
    writers[output](rows, stream)
    stream.flush()


def _write_json(rows: pa.RecordBatchReader, stream: BinaryIO) -> None:
    before = b"["
    for batch in rows:
        for row in batch.to_pylist():
            text = json.dumps(plain(row), ensure_ascii=False, default=_json_value)
            stream.write(before + text.encode())
            before = b",\n "
    stream.write(b"]\n" if before != b"[" else b"[]\n")


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
    plain = not any(set(name) & set(',"\r\n') for name in schema.names)
    options = csv.WriteOptions(
        quoting_style="needed", quoting_header="none" if plain else "all_valid"
    )
    with csv.CSVWriter(stream, schema, write_options=options) as writer:
        for batch in rows:
            columns = batch.columns
            for index in nested:
                columns[index] = _as_json(columns[index])
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def _as_json(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    values = column.to_pylist()
    texts = [v if v is None else json.dumps(plain(v), ensure_ascii=False) for v in values]
    return pa.array(texts, pa.string())


def _write_parquet(rows: pa.RecordBatchReader, stream: BinaryIO) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(stream, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)
