"""Clean JSON lines at once: fast, and None where anything is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asrdq.manifests.formats.json_values import EXACT_INTEGERS
from asrdq.manifests.formats.lines import count_lines
from asrdq.manifests.formats.regular_json import parse_regular

if TYPE_CHECKING:
    import pyarrow as pa

_HEAD_BYTES = 1 << 15


def parse_fast(data: bytes) -> pa.Table | None:
    """Read JSON lines at once; None where a line, a type or a number needs a closer look.

    Regular lines take the fastest way. Others go through Arrow's reader, which knows nested
    values and fields that come and go.
    """
    if data[:1] != b"{" or not _is_utf8(data):
        return None
    fields = None if _has_surrogates(data) else _plain_fields(data)
    rows = parse_regular(data, fields) if fields else None
    return _parse_any(data) if rows is None else rows


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _plain_fields(data: bytes) -> pa.Schema | None:
    """Return the fields of the first lines if all are plain values."""
    import pyarrow as pa

    head = data[: data.rfind(b"\n", 0, _HEAD_BYTES) + 1] or data
    rows = _parse_any(head)
    plain = {pa.string(), pa.float64(), pa.int64(), pa.bool_()}
    return rows.schema if rows is not None and plain.issuperset(rows.schema.types) else None


def _has_surrogates(data: bytes) -> bool:
    return b"\\" in data and (b"\\ud" in data or b"\\uD" in data)


def _parse_any(data: bytes) -> pa.Table | None:
    """Read lines through Arrow.

    `}` and `{` with a line end between them can stand nowhere inside a JSON document, so
    counting them proves that every line is a document of its own.
    """
    import pyarrow as pa
    from pyarrow import json as arrow_json

    lines = count_lines(data) + (not data.endswith(b"\n"))
    borders = data.count(b"}\n{") + (data.count(b"}\r\n{") if b"\r" in data else 0)
    if borders != lines - 1:
        return None
    options = arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1)
    try:
        rows = arrow_json.read_json(pa.BufferReader(data), read_options=options)
        stamps = [f.name for f in rows.schema if pa.types.is_temporal(f.type)]
        if stamps:  # it takes text that looks like a date for one
            schema = pa.schema([(name, pa.string()) for name in stamps])
            parsing = arrow_json.ParseOptions(explicit_schema=schema)
            rows = arrow_json.read_json(
                pa.BufferReader(data), read_options=options, parse_options=parsing
            )
        rows.validate()  # it makes broken columns of lists that hold nothing but nulls
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    return rows if rows.num_rows == lines and _is_faithful(rows) else None


def _is_faithful(rows: pa.Table) -> bool:
    """Return whether no integer can have been rounded to a float, and no text read as a date."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in rows.itercolumns():
        for leaf in _leaves(column.combine_chunks()):
            if pa.types.is_temporal(leaf.type):
                return False
            if pa.types.is_float64(leaf.type):
                limits = pc.min_max(leaf).as_py().values()
                if any(abs(limit) >= EXACT_INTEGERS for limit in limits if limit is not None):
                    return False
    return True


def _leaves(array: pa.Array) -> Iterator[pa.Array]:
    import pyarrow as pa

    if pa.types.is_list(array.type):
        yield from _leaves(array.flatten())
    elif pa.types.is_struct(array.type):
        for child in array.flatten():
            yield from _leaves(child)
    else:
        yield array
