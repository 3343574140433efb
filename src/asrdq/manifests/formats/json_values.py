"""JSON values read from the bytes of a block, where it is known where each starts and ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from asrdq.manifests.database import block_query

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

EXACT_INTEGERS = 2.0**53
"""Below this every integer is a float of its own."""

_QUOTE, _MINUS, _DOT, _ZERO = b'"-.0'
_N, _T, _F = b"ntf"
_DIGITS = np.isin(np.arange(256), list(b"0123456789"))
_PLAIN = np.isin(np.arange(256), list(b"0123456789.-"))
_NUMERIC = np.isin(np.arange(256), list(b"0123456789.-+eE"))


class UnprovenError(Exception):
    """A block is not as its first lines are, or may not be."""


@dataclass
class Literals:
    """The values of a block as they are written.

    Attributes:
        data: The block.
        content: The same as numbers.
        start: Where each value starts; shape (fields, lines).
        end: Where it ends: the byte after its last.
        texts: Number of values between quotes found so far.
        escapes: Whether there is a backslash anywhere.
    """

    data: bytes
    content: NDArray[np.uint8]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    texts: int = 0
    escapes: bool = field(init=False)

    def __post_init__(self) -> None:
        self.escapes = b"\\" in self.data

    def prove(self, at: NDArray[np.int64], expected: bytes) -> None:
        """Make sure that these bytes stand at each of the places; they must lie in the block.

        Raises:
            UnprovenError: They do not.
        """
        size = len(expected)
        places = np.ndarray(len(self.data) - size + 1, f"V{size}", self.content, strides=(1,))
        if places[at].tobytes() != expected * at.size:
            raise UnprovenError

    def prove_words(self, column: int, where: NDArray[np.bool_], word: bytes) -> None:
        """Make sure that some values of a column are this word.

        Raises:
            UnprovenError: They are not.
        """
        start, end = self.start[column, where], self.end[column, where]
        if (end - start != len(word)).any():
            raise UnprovenError
        self.prove(start, word)

    def prove_quotes(self) -> None:
        """Make sure that no text holds a quote, unless it is escaped.

        Each value with a backslash was read by a parser: an escaped quote ends none.

        Raises:
            UnprovenError: One may.
        """
        quotes = np.count_nonzero(self.content == _QUOTE)
        if self.escapes:
            if b"\\\\" in self.data:
                raise UnprovenError
            quotes -= self.data.count(b'\\"')
        if quotes != 2 * (self.start.size + self.texts):
            raise UnprovenError

    def cut(self, column: int, null: NDArray[np.bool_], margin: int = 0) -> pa.Array:
        """Return the values of a column as text, without `margin` bytes at both ends."""
        import pyarrow as pa
        import pyarrow.compute as pc

        lines = self.start.shape[1]
        borders = np.empty((lines, 2), np.int32)
        borders[:, 0] = self.start[column] + margin
        borders[:, 1] = self.end[column] - margin
        buffers = [None, pa.py_buffer(borders), pa.py_buffer(self.data)]
        between = pa.Array.from_buffers(pa.string(), 2 * lines - 1, buffers)
        values = np.arange(0, 2 * lines, 2, dtype=np.int32)
        return pc.take(between, pa.array(values, mask=null), boundscheck=False)


def read_column(literals: Literals, column: int, kind: pa.DataType) -> pa.Array:
    """Return the values of a column; null where `null` is written.

    Raises:
        UnprovenError: A value is of another kind, or is not written as JSON has it.
    """
    import pyarrow as pa

    first = literals.content[literals.start[column]]
    null = first == _N
    if null.any():
        literals.prove_words(column, null, b"null")
    if pa.types.is_string(kind):
        return _texts(literals, column, first, null)
    if pa.types.is_boolean(kind):
        return _truths(literals, column, first, null)
    return _numbers(literals, column, first, null, kind)


def _texts(
    literals: Literals, column: int, first: NDArray[np.uint8], null: NDArray[np.bool_]
) -> pa.Array:
    import pyarrow.compute as pc

    start, end = literals.start[column], literals.end[column]
    quoted = (first == _QUOTE) & (literals.content[end - 1] == _QUOTE) & (end - start >= 2)
    if not (quoted | null).all():
        raise UnprovenError
    literals.texts += int(quoted.sum())
    texts = literals.cut(column, null, margin=1)
    if literals.escapes and pc.any(pc.match_substring(texts, "\\")).as_py():
        return _parsed(pc.binary_join_element_wise('"', texts, '"', ""), "VARCHAR")
    return texts


def _truths(
    literals: Literals, column: int, first: NDArray[np.uint8], null: NDArray[np.bool_]
) -> pa.Array:
    import pyarrow as pa

    true, false = first == _T, first == _F
    if not (true | false | null).all():
        raise UnprovenError
    literals.prove_words(column, true, b"true")
    literals.prove_words(column, false, b"false")
    return pa.array(true, mask=null)


def _numbers(
    literals: Literals,
    column: int,
    first: NDArray[np.uint8],
    null: NDArray[np.bool_],
    kind: pa.DataType,
) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = literals.cut(column, null)
    written = _bytes_of(texts)
    if not _PLAIN[written].all():
        if not _NUMERIC[written].all() or not pa.types.is_floating(kind):
            raise UnprovenError
        numbers = _parsed(texts, "DOUBLE")
    else:
        minus = first == _MINUS
        if np.count_nonzero(written == _MINUS) != np.count_nonzero(minus):
            raise UnprovenError
        _prove_digits(literals, column, minus, null)
        try:
            numbers = texts.cast(kind)
        except pa.ArrowInvalid as error:
            raise UnprovenError from error
    if pa.types.is_floating(kind):
        largest = pc.max(pc.abs(numbers)).as_py()
        if largest is not None and largest >= EXACT_INTEGERS:
            raise UnprovenError
    return numbers


def _prove_digits(
    literals: Literals, column: int, minus: NDArray[np.bool_], null: NDArray[np.bool_]
) -> None:
    """Make sure that numbers start and end with a digit, and with no idle zero."""
    content = literals.content
    start, end = literals.start[column] + minus, literals.end[column]
    leading = content[start]
    idle = (leading == _ZERO) & (end - start > 1) & (content[start + 1] != _DOT)
    if not ((_DIGITS[leading] & _DIGITS[content[end - 1]] & ~idle) | null).all():
        raise UnprovenError


def _bytes_of(texts: pa.Array) -> NDArray[np.uint8]:
    _, offsets, values = texts.buffers()
    used = np.frombuffer(offsets, np.int32)[len(texts)]
    return np.frombuffer(values, np.uint8, used) if used else np.empty(0, np.uint8)


def _parsed(literals: pa.Array, kind: str) -> pa.Array:
    """Return values that need a parser: it reads each one as a document."""
    import duckdb
    import pyarrow as pa

    sql = f"SELECT from_json_strict(literal, '\"{kind}\"') AS parsed FROM block"
    try:
        return block_query(sql, pa.table({"literal": literals}))["parsed"].combine_chunks()
    except duckdb.Error as error:
        raise UnprovenError from error
