"""Texts as words and hashes: what is compared when two transcripts are the same or nearly so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]

_BASE = 0x5851F42D4C957F2D
_INVERSE = pow(_BASE, -1, 2**64)
_SPACE = ord(" ")
LONG = 64
"""Texts of so many words and more are alike to `Words.positions`."""
_BLOCK_BYTES = 1 << 22
_NOT_WORDS = r"[^\p{L}\p{M}\p{N}]+"


def normalised(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return texts with nothing but lower-case words and single spaces between them.

    Unicode NFKC, lower case, and a space for everything that is no letter, mark or digit; a null
    becomes empty.
    """
    import polars as pl

    column = pl.Series("text", texts, dtype=pl.String).fill_null("")
    if (column.str.len_bytes() != column.str.len_chars()).any():
        column = column.str.normalize("NFKC")
    column = column.str.to_lowercase().str.replace_all(_NOT_WORDS, " ").str.strip_chars(" ")
    return column.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())


@dataclass(frozen=True)
class Words:
    """The words of normalised texts, with a hash of any run of them in constant time.

    A polynomial hash modulo 2**64 over the bytes: prefix sums give that of any piece.

    Attributes:
        starts: First byte of each word.
        ends: Byte after each word.
        first: Number of the first word of each text, and the number of words at the end.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    first: NDArray[np.int64]
    _prefix: Hashes

    @classmethod
    def of(cls, texts: pa.Array) -> Words:
        """Return the words of normalised texts (without nulls)."""
        _, offsets, content = texts.buffers()
        bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
        bounds = bounds.astype(np.int64)
        data = np.frombuffer(content or b"", np.uint8)[bounds[0] : bounds[-1]]
        bounds = bounds - bounds[0]
        filled = bounds[1:] > bounds[:-1]
        begins, finishes = np.zeros(len(data) + 1, bool), np.zeros(len(data) + 1, bool)
        spaces = np.flatnonzero(data == _SPACE)
        begins[spaces + 1] = begins[bounds[:-1][filled]] = True
        finishes[spaces] = finishes[bounds[1:][filled]] = True
        starts = np.flatnonzero(begins)
        prefix = np.zeros(len(data) + 1, np.uint64)
        np.cumsum((data + np.uint64(1)) * _powers(len(data), _BASE), out=prefix[1:])
        return cls(starts, np.flatnonzero(finishes), np.searchsorted(starts, bounds), prefix)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of words of each text."""
        return np.diff(self.first)

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """Text of each word."""
        return np.repeat(np.arange(len(self.first) - 1), self.counts)

    @cached_property
    def positions(self) -> NDArray[np.int32]:
        """For each word, words of its text × (LONG + 1) + words before it, LONG at most each."""
        before = np.minimum(np.arange(len(self.starts)) - self.first[self.owner], LONG)
        counts = np.minimum(self.counts, LONG)[self.owner]
        position: NDArray[np.int32] = (counts * (LONG + 1) + before).astype(np.int32)
        return position

    def runs(self, first: NDArray[np.int64], words: int | NDArray[np.int64]) -> Hashes:
        """Return the hash of runs of words that begin with the words numbered `first`."""
        start, end = self.starts[first], self.ends[first + words - 1]
        value = (self._prefix[end] - self._prefix[start]) * self._shift[first]
        return _mixed(value)

    def texts(self) -> Hashes:
        """Return the hash of each whole text; all empty ones have the same."""
        value = np.zeros(len(self.first) - 1, np.uint64)
        filled = np.flatnonzero(self.counts)
        value[filled] = self.runs(self.first[filled], self.counts[filled])
        return value

    def signatures(self) -> Hashes:
        """Return 64 bits a text, each word setting one: k edits change 2k bits at most."""
        bit = np.uint64(1) << (self.runs(np.arange(len(self.starts)), 1) >> np.uint64(58))
        signature = np.zeros(len(self.first) - 1, np.uint64)
        filled = self.counts > 0
        if len(bit):
            signature[filled] = np.bitwise_or.reduceat(bit, self.first[:-1][filled])
        return signature

    @cached_property
    def _shift(self) -> Hashes:
        return _powers(len(self._prefix), _INVERSE)[self.starts]


def blocks(texts: pa.Array) -> Iterator[tuple[int, pa.Array]]:
    """Give texts in pieces of a few megabytes, each with the number of its first text."""
    start = 0
    while start < len(texts):
        rows = len(texts) - start
        while rows > 1 and texts.slice(start, rows).nbytes > _BLOCK_BYTES:
            rows //= 2
        yield start, texts.slice(start, rows)
        start += rows


_tables: dict[int, Hashes] = {}


def _powers(count: int, base: int) -> Hashes:
    """Return base**0, base**1 … modulo 2**64; the longest table made is kept."""
    table = _tables.get(base)
    if table is None or len(table) < count:
        table = np.full(max(count, _BLOCK_BYTES + 1), base, np.uint64)
        table[0] = 1
        np.multiply.accumulate(table, out=table)
        _tables[base] = table
    return table[:count]


def _mixed(value: Hashes) -> Hashes:
    """Spread the bits of a hash: the high ones choose a place in a table."""
    value = value ^ (value >> np.uint64(32))
    value *= np.uint64(0x9FB21C651E98DF25)
    value ^= value >> np.uint64(28)
    return value
