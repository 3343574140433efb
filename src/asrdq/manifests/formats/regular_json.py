"""JSON lines that all have the same plain fields in the same order, as programs write them.

No parser reads them: NumPy finds where the keys end, so where values start and end, and proves
that every byte of a block either is one that must stand there or belongs to one value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from asrdq.manifests.formats.json_values import Literals, UnprovenError, read_column

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_PIECE_BYTES = 2 << 20
_QUOTE, _COLON, _SPACE = b'": '


def parse_regular(data: bytes, fields: pa.Schema) -> pa.Table | None:
    """Read lines that all have these fields in this order; None where one line does not.

    Args:
        data: Lines in UTF-8, without surrogates in escapes.
        fields: Their names and types: text, float, integer or truth value.
    """
    import pyarrow as pa

    try:
        pieces = [_parse_piece(piece, fields) for piece in _pieces(data)]
    except UnprovenError:
        return None
    return pa.concat_tables(pieces)


def _pieces(data: bytes) -> Iterator[bytes]:
    """Cut at line ends into pieces that a core keeps at hand: all is read many times."""
    start = 0
    while len(data) - start > _PIECE_BYTES:
        end = data.rfind(b"\n", start, start + _PIECE_BYTES) + 1 or len(data)
        yield data[start:end]
        start = end
    if start < len(data) or not data:
        yield data[start:]


def _parse_piece(data: bytes, fields: pa.Schema) -> pa.Table:
    """Read some lines; the only control bytes in them are the line ends that are proven."""
    import pyarrow as pa

    content = np.frombuffer(data, dtype=np.uint8)
    lines = int(np.count_nonzero(content < _SPACE)) + (not data.endswith(b"\n"))
    keys = _key_ends(content)
    if not len(keys) or len(keys) != lines * len(fields):
        raise UnprovenError
    keys = np.ascontiguousarray(keys.reshape(lines, -1).T)
    literals = _find_literals(data, content, keys, fields.names)
    columns = [read_column(literals, i, kind) for i, kind in enumerate(fields.types)]
    literals.prove_quotes()
    return pa.table(columns, fields)


def _key_ends(content: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return where a quote has a colon after it: at the end of each key, and within texts."""
    before = np.flatnonzero(content == _COLON) - 1
    ends: NDArray[np.int64] = before[content[before] == _QUOTE]
    return ends


def _find_literals(
    data: bytes, content: NDArray[np.uint8], keys: NDArray[np.int64], names: list[str]
) -> Literals:
    """Return where values stand; what stands between them is as it must be.

    Raises:
        UnprovenError: It is not.
    """
    spaced = content[keys[0, 0] + len('":')] == _SPACE
    comma = b", " if spaced else b","
    openings = [comma + b'"' + name.encode() + b'"' for name in names]
    openings[0] = b"{" + openings[0].removeprefix(comma)
    opened = keys - np.array([[len(opening) - 1] for opening in openings])
    start = keys + len('": ' if spaced else '":')
    end = np.empty_like(start)
    end[:-1] = opened[1:]
    end[-1, :-1] = opened[0, 1:] - len("}\n")
    end[-1, -1] = len(data) - len(b"}\n" if data.endswith(b"\n") else b"}")
    if opened[0, 0] != 0 or (end <= start).any():
        raise UnprovenError
    literals = Literals(data, content, start, end)
    for column, opening in enumerate(openings):
        literals.prove(opened[column], opening)
    if spaced:
        literals.prove(start - 1, b" ")
    literals.prove(end[-1, :-1], b"}\n")
    literals.prove(end[-1, -1:], b"}")
    return literals
