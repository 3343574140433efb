"""JSON lines that all have the same plain fields in the same order, as programs write them.

DuckDB reads them, and is lenient: `true` may become a number, a number a text, `{"a": 1,}` an
object. So every key and the first byte of every value in the bytes are held against what came
out, and nothing is taken that is not proven right.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from asrdq.manifests.database import block_query

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

EXACT_INTEGERS = 2.0**53
"""Below this every integer is a float of its own."""

_PIECE_BYTES = 1 << 18
_WORD_BYTES = 8
_QUOTE, _COLON, _SPACE, _LINE_END, _OPEN, _CLOSE = b'": \n{}'
_BEFORE_CLOSE = np.isin(np.arange(256), list(b", \t\r"))
_NULL, _TEXT, _NUMBER, _TRUTH = 1, 2, 3, 4
_KINDS = np.zeros(256, np.uint8)
"""What a value is, by its first byte; 0 is nested or nothing known."""
_KINDS[list(b"n")] = _NULL
_KINDS[list(b'"')] = _TEXT
_KINDS[list(b"-0123456789")] = _NUMBER
_KINDS[list(b"tf")] = _TRUTH


def parse_regular(data: bytes, lines: int, fields: pa.Schema) -> pa.Table | None:
    """Read lines that all have these fields in this order; None where one line does not.

    Args:
        data: Lines in UTF-8.
        lines: Their number.
        fields: Their names and types: text, float, integer or truth value.
    """
    import duckdb
    import pyarrow as pa

    content = np.frombuffer(data, dtype=np.uint8)
    keys = _key_ends(content)
    if not len(keys) or len(keys) != lines * len(fields):
        return None
    keys = keys.reshape(lines, len(fields))
    starts = _line_starts(content, keys[:, 0] - len(fields.names[0].encode()))
    if starts is None or not _are_named(content, keys, fields.names):
        return None
    nulls = _nulls(content, keys, fields)
    if nulls is None:
        return None
    documents = pa.Array.from_buffers(
        pa.string(), lines, [None, pa.py_buffer(starts), pa.py_buffer(data)]
    )
    try:
        rows = block_query(_sql(fields), pa.table({"line": documents}))
    except duckdb.Error:
        return None
    if [column.null_count for column in rows.itercolumns()] != nulls.tolist():
        return None
    return _typed(rows, fields)


def _key_ends(content: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return where a quote has a colon after it: at the end of each key, and within texts."""
    pieces = []
    for start in range(0, len(content), _PIECE_BYTES):
        colons = np.flatnonzero(content[start : start + _PIECE_BYTES] == _COLON)
        colons += start - 1
        pieces.append(colons[content[colons] == _QUOTE])
    return np.concatenate([np.empty(0, np.int64), *pieces])


def _line_starts(
    content: NDArray[np.uint8], first_names: NDArray[np.int64]
) -> NDArray[np.int32] | None:
    """Return where lines start, and the end; None where one is not `{"name": …}` and no more.

    There is no blank around the braces, and no comma before the last one.
    """
    starts = first_names - len('{"')
    if starts[0] != 0 or not (content[starts] == _OPEN).all():
        return None
    if not (content[starts[1:] - 1] == _LINE_END).all():
        return None
    starts = np.append(starts, len(content))
    ends = starts[1:].copy()
    ends[-1] += content[-1] != _LINE_END
    if not (content[ends - 2] == _CLOSE).all() or _BEFORE_CLOSE[content[ends - 3]].any():
        return None
    return starts.astype(np.int32)


def _are_named(content: NDArray[np.uint8], keys: NDArray[np.int64], names: list[str]) -> bool:
    """Return whether the key that ends at each place ends like the name of its column.

    The last bytes, with the quote before short names, must tell all names apart.
    """
    last = [(b'"' + name.encode())[-_WORD_BYTES:] for name in names]
    if len(set(last)) < len(last) or len(content) < _WORD_BYTES:
        return False
    masks = np.array([_word(b"\xff" * len(end)) for end in last], np.uint64)
    expected = np.array([_word(end) for end in last], np.uint64)
    words = np.ndarray(len(content) - _WORD_BYTES + 1, "<u8", content, strides=(1,))
    found = words[np.maximum(keys - _WORD_BYTES, 0)]
    for column in np.flatnonzero(keys[0] < _WORD_BYTES):
        found[0, column] = _word(content[: keys[0, column]].tobytes())
    return bool(((found & masks) == expected).all())


def _word(last: bytes) -> int:
    return int.from_bytes(last.rjust(_WORD_BYTES, b"\0"), "little")


def _nulls(
    content: NDArray[np.uint8], keys: NDArray[np.int64], fields: pa.Schema
) -> NDArray[np.int64] | None:
    """Return the number of nulls of each field; None where a value is of another type."""
    first = keys + len('":')
    if content[first[0, 0]] == _SPACE:
        if not (content.take(first, mode="clip") == _SPACE).all():
            return None
        first += 1
    kinds = _KINDS[content.take(first, mode="clip")]
    fits = kinds == np.array([_kind_of(field.type) for field in fields], np.uint8)
    if fits.all():
        return np.zeros(len(fields), np.int64)
    null = kinds == _NULL
    return null.sum(axis=0) if (fits | null).all() else None


def _kind_of(kind: pa.DataType) -> int:
    import pyarrow as pa

    if pa.types.is_string(kind):
        return _TEXT
    return _TRUTH if pa.types.is_boolean(kind) else _NUMBER


def _sql(fields: pa.Schema) -> str:
    import pyarrow as pa

    names = {pa.string(): "VARCHAR", pa.bool_(): "BOOLEAN"}
    structure = json.dumps({field.name: names.get(field.type, "DOUBLE") for field in fields})
    quoted = structure.replace("'", "''")
    return f"SELECT unnest(from_json_strict(line, '{quoted}')) FROM block"


def _typed(rows: pa.Table, fields: pa.Schema) -> pa.Table | None:
    """Return integers, which came as floats, as such; None where a number is too large."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for field, column in zip(rows.schema, rows.itercolumns(), strict=True):
        if pa.types.is_float64(field.type):
            largest = pc.max(pc.abs(column)).as_py()
            if largest is not None and largest >= EXACT_INTEGERS:
                return None
    try:
        return rows.cast(fields)
    except pa.ArrowInvalid:
        return None
