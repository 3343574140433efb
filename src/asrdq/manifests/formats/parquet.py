"""Parquet files: read by row group, written as a stream, with types as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.errors import DataError, UsageError
from asrdq.manifests.columns import NUMBERS, SPEAKER, UTT_ID, Aliases
from asrdq.manifests.formats.delimited import COLUMN_NAMES
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.protocol import Chunk, Parsed

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

MAGIC = b"PAR1"
_ROWS_A_CHUNK = 65_536
_A_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_EXACT_DIGITS = 15
"""Decimals of so many digits are the same as floats."""


@contextmanager
def open_parquet(path: Path) -> Iterator[ParquetFile]:
    """Open a Parquet file.

    Raises:
        DataError: It is damaged, also on reading from it.
        UsageError: It is a folder.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.is_dir():
        raise UsageError("is a folder", where=str(path), hint=f"name its files: {path}/*.parquet")
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:  # it would keep all it read ahead
            yield file
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"the Parquet file is damaged: {error}", where=str(path)) from error


class ParquetFormat:
    """One row an utterance, in columns named as in CSV; the line of a row is its number."""

    name: ClassVar[str] = "parquet"
    description: ClassVar[str] = "Parquet with a row an utterance"
    typed: ClassVar[bool] = True
    holds: ClassVar[frozenset[str] | None] = None
    order: ClassVar[tuple[str, ...]] = ()
    suffix: ClassVar[str] = ".parquet"
    keeps_paths: ClassVar[bool] = True
    aliases: Aliases = COLUMN_NAMES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether it begins as a Parquet file."""
        return head.startswith(MAGIC)

    def split(self, path: Path) -> Iterator[Chunk]:
        """Read batches of rows, one row group after the other."""
        with open_parquet(path) as file:
            first, size = 1, path.stat().st_size
            for batch in file.iter_batches(_ROWS_A_CHUNK):
                share = size * batch.num_rows // max(file.metadata.num_rows, 1)
                yield Chunk(b"", first, batch, share)
                first += batch.num_rows

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Give canonical columns their types; the others keep theirs."""
        return parse_batch(chunk.context, chunk.first_line, self.aliases)

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write batches as they come, with the types of the manifest table."""
        import pyarrow.parquet as pq

        with out.file() as file, pq.ParquetWriter(file, rows.schema, compression="zstd") as writer:
            for batch in rows:
                writer.write_batch(batch)


def parse_batch(batch: pa.RecordBatch, first_line: int, aliases: Aliases) -> Parsed:
    """Return a batch with plain types: no dictionaries, no large or view types.

    Raises:
        UsageError: A canonical column has a type that cannot be read as what it is.
    """
    import numpy as np
    import pyarrow as pa

    canonical = {name: column for column, names in aliases.items() for name in names}
    columns = {}
    for field, array in zip(batch.schema, batch.columns, strict=True):
        column = canonical.get(field.name)
        kind = _plain(field.type) if column is None else _canonical(field, column)
        columns[field.name] = _converted(array, kind)
    lines = np.arange(first_line, first_line + batch.num_rows, dtype=np.int64)
    return Parsed(pa.table(columns), lines, [])


def _converted(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return an array in another type; as text if a value would not be the same in it.

    A length of time becomes seconds.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if array.type == kind:
        return array
    if pa.types.is_duration(array.type):
        return pc.divide(array.cast(pa.int64()).cast(pa.float64()), _A_SECOND[array.type.unit])
    for wanted in (kind, pa.string()):
        try:
            return array.cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
    return pa.array([_text(value) for value in array.to_pylist()], pa.string())


def _text(value: Any) -> str | None:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return None if value is None else str(value)


def _canonical(field: pa.Field, column: str) -> pa.DataType:
    import pyarrow as pa

    kind = _plain(field.type)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if pa.types.is_null(kind):
        return kind
    if column in NUMBERS and number:
        return pa.float64()
    named = column in (UTT_ID, SPEAKER) and pa.types.is_integer(kind)
    if column not in NUMBERS and (pa.types.is_string(kind) or named):
        return pa.string()
    expected = "a number" if column in NUMBERS else "text"
    raise UsageError(
        f"the column '{field.name}' is {field.type}, not {expected}",
        hint=f"name another one: --column {column}=NAME",
    )


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type that tables keep for a type of Arrow."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind):
        return pa.float64()
    if pa.types.is_decimal(kind):
        return pa.float64() if kind.precision <= _EXACT_DIGITS else pa.string()
    if pa.types.is_duration(kind):
        return pa.float64()
    if pa.types.is_time(kind) or pa.types.is_interval(kind):
        return pa.string()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    if pa.types.is_large_list(kind) or pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _plain(field.type)) for field in kind])
    return kind
