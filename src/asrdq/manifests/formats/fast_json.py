"""Clean JSON lines at once: fast, and None where anything is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_EXACT_INTEGERS = 2.0**53
_HEAD_BYTES = 1 << 15
_PIECE_BYTES = 1 << 18
_AHEAD = 3
_QUOTE, _COLON, _SPACE, _LINE_END = b'": \n'


def parse_fast(data: bytes) -> pa.Table | None:
    """Read JSON lines at once; None where a line, a type or a number needs a closer look.

    Regular lines (the same plain fields in nearly all of them) take the fastest way. Others go
    through Arrow's reader, which knows nested values and fields that come and go.
    """
    marks = _count(data)
    if data[:1] != b"{" or not _is_utf8(data):
        return None
    rows = _parse_regular(data, marks)
    return _parse_any(data, marks.lines) if rows is None else rows


@dataclass(frozen=True, slots=True)
class _Marks:
    """How often some bytes occur.

    Attributes:
        lines: Lines.
        quotes: Quotes.
        keys: Quotes with a colon after them.
        texts: Of these, those with another quote after that, or after a space where the
            first lines have one there.
    """

    lines: int
    quotes: int
    keys: int
    texts: int


def _count(data: bytes) -> _Marks:
    content = np.frombuffer(data, dtype=np.uint8)
    # A file that mixes both ways of writing is counted short, and so read another way.
    gap = 3 if b'": "' in data[:_HEAD_BYTES] else 2
    lines = quotes = keys = texts = 0
    for start in range(0, len(content), _PIECE_BYTES):
        piece = content[start : start + _PIECE_BYTES + _AHEAD]
        quote = piece == _QUOTE
        lines += int(np.count_nonzero(piece[:_PIECE_BYTES] == _LINE_END))
        quotes += int(np.count_nonzero(quote[:_PIECE_BYTES]))
        key = quote[:-1] & (piece[1:] == _COLON)
        keys += int(np.count_nonzero(key[:_PIECE_BYTES]))
        text = key[: 1 - gap] & quote[gap:]
        if gap == _AHEAD:
            text &= piece[2:-1] == _SPACE
        texts += int(np.count_nonzero(text[:_PIECE_BYTES]))
    return _Marks(lines + (not data.endswith(b"\n")), quotes, keys, texts)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse_regular(data: bytes, marks: _Marks) -> pa.Table | None:
    """Read lines with plain fields through Polars, and prove that nothing got lost.

    Polars reads each line as one document, but leaves out fields that it was not told of,
    takes the first of two equal keys, and turns all else into text where it expects text. So
    the keys, the values that begin as texts and the quotes in the bytes are counted against
    what came out.
    """
    import polars as pl

    schema = _plain_schema(data)
    if schema is None or _has_surrogates(data):
        return None
    try:
        frame = pl.read_ndjson(data, schema=schema)
    except (pl.exceptions.PolarsError, ValueError):
        return None
    if frame.height != marks.lines or not _accounts_for(frame, data, marks):
        return None
    return _arrow(frame)


def _plain_schema(data: bytes) -> dict[str, pl.DataType] | None:
    """Return the fields of the first lines if all are plain values."""
    import polars as pl
    import pyarrow as pa

    head = data[: data.rfind(b"\n", 0, _HEAD_BYTES) + 1] or data
    rows = _parse_any(head, head.count(b"\n") + (not head.endswith(b"\n")))
    known = {
        pa.string(): pl.String(),
        pa.float64(): pl.Float64(),
        pa.int64(): pl.Int64(),
        pa.bool_(): pl.Boolean(),
    }
    if rows is None or any(kind not in known for kind in rows.schema.types):
        return None
    return {field.name: known[field.type] for field in rows.schema}


def _has_surrogates(data: bytes) -> bool:
    return b"\\" in data and (b"\\ud" in data or b"\\uD" in data)


def _accounts_for(frame: pl.DataFrame, data: bytes, marks: _Marks) -> bool:
    """Return whether every key and every quote of the bytes is explained by the frame."""
    import polars as pl

    filled = {name: frame.height - frame[name].null_count() for name in frame.columns}
    unexplained = marks.keys - sum(filled.values())
    if unexplained and unexplained != data.count(b'":null') + data.count(b'": null'):
        return False
    texts = sum(filled[name] for name, kind in frame.schema.items() if kind == pl.String)
    escaped = data.count(b'\\"') if b"\\" in data else 0
    if marks.texts != texts or marks.quotes - escaped != 2 * (marks.keys + texts):
        return False
    floats = [name for name, kind in frame.schema.items() if kind == pl.Float64]
    largest = (frame[name].abs().max() for name in floats)
    return all(top is None or float(str(top)) < _EXACT_INTEGERS for top in largest)


def _arrow(frame: pl.DataFrame) -> pa.Table:
    import polars as pl
    import pyarrow as pa

    rows = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    plain = pa.schema(
        [(f.name, pa.string() if pa.types.is_large_string(f.type) else f.type) for f in rows.schema]
    )
    return rows.cast(plain)


def _parse_any(data: bytes, lines: int) -> pa.Table | None:
    """Read lines through Arrow.

    `}` and `{` with a line end between them can stand nowhere inside a JSON document, so
    counting them proves that every line is a document of its own.
    """
    import pyarrow as pa
    from pyarrow import json as arrow_json

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
                if any(abs(limit) >= _EXACT_INTEGERS for limit in limits if limit is not None):
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
