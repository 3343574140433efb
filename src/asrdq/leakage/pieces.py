"""Pieces of texts, and which texts have one where it would have to stand in a near text."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asrdq.leakage.words import LONG, Hashes, Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPSILON = 1e-9
_WORDS = 1 << 24
"""More words than any text has."""
_SPARSE_BITS, _MOST_BITS = 5, 27
"""The table of pieces that may be there has some 2**5 places for each piece, 2**27 at most."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far near texts may differ in length, by their words.

    Attributes:
        edits: Most edits of a pair whose longer text has so many words.
        least: Least words of a near text, for a text of so many words.
        most: Most words of it.
    """

    edits: NDArray[np.int64]
    least: NDArray[np.int64]
    most: NDArray[np.int64]

    @classmethod
    def of(cls, threshold: float, longest: int) -> Reach:
        """Return the reach of texts up to a number of words."""
        words = np.arange(longest + 1)
        return cls(
            np.floor((1 - threshold) * words + _EPSILON).astype(np.int64),
            np.ceil(threshold * words - _EPSILON).astype(np.int64),
            np.floor(words / threshold + _EPSILON).astype(np.int64),
        )


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of texts: hash, text, place of the first word and length in words of each."""

    run: Hashes
    text: NDArray[np.int64]
    place: NDArray[np.int64]
    length: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: list[Pieces]) -> Pieces:
        """Return the pieces of several parts."""
        none = np.empty(0, np.int64)
        return cls(
            np.concatenate([np.empty(0, np.uint64), *(part.run for part in parts)]),
            np.concatenate([none, *(part.text for part in parts)]),
            np.concatenate([none, *(part.place for part in parts)]),
            np.concatenate([none, *(part.length for part in parts)]),
        )


def cut(words: Words, start: int, threshold: float) -> Pieces:
    """Cut texts, numbered from `start`, into one piece more than a near text may have edits."""
    found = []
    for count in np.unique(words.counts).tolist():
        edits = int((1 - threshold) * int(count / threshold + _EPSILON) + _EPSILON)
        if edits == 0 or count == 0:
            continue
        text = np.flatnonzero(words.counts == count)
        cuts = [count * number // (edits + 1) for number in range(edits + 2)]
        for place, end in itertools.pairwise(cuts):
            run = words.runs(words.first[text] + place, end - place)
            size = len(text)
            at, length = np.full(size, place), np.full(size, end - place)
            found.append(Pieces(run, text + start, at, length))
    return Pieces.joined(found)


@dataclass(frozen=True)
class PieceTable:
    """The pieces of indexed texts by hash, and by the words of their text under one hash.

    Attributes:
        lengths: Lengths of pieces in words.
        texts: Number of indexed texts.
    """

    lengths: tuple[int, ...]
    texts: int
    _places: Mapping[int, NDArray[np.bool_]]
    _runs: Hashes
    _key: NDArray[np.int64]
    _text: NDArray[np.int32]
    _place: NDArray[np.int32]
    _words: NDArray[np.int32]
    _maybe: NDArray[np.bool_]
    _shift: np.uint64

    @classmethod
    def build(cls, pieces: Pieces, counts: NDArray[np.int64], threshold: float) -> PieceTable:
        """Return the table of pieces.

        Args:
            pieces: All pieces.
            counts: Words of each text.
            threshold: The nearness that they were cut for.
        """
        runs, number = np.unique(pieces.run, return_inverse=True)
        words = counts[pieces.text]
        order = np.argsort(number * _WORDS + words, kind="stable")
        bits = min(max(10, len(pieces.run).bit_length() + _SPARSE_BITS), _MOST_BITS)
        maybe = np.zeros(1 << bits, bool)
        maybe[runs >> np.uint64(64 - bits)] = True
        return cls(
            lengths=tuple(np.unique(pieces.length).tolist()),
            texts=len(counts),
            _places=_places(pieces, words, threshold),
            _runs=runs,
            _key=(number * _WORDS + words)[order],
            _text=pieces.text[order].astype(np.int32),
            _place=pieces.place[order].astype(np.int32),
            _words=words[order].astype(np.int32),
            _maybe=maybe,
            _shift=np.uint64(64 - bits),
        )

    def candidates(self, words: Words, length: int, reach: Reach) -> NDArray[np.int64]:
        """Return pairs, as text × indexed texts + indexed text, that share a piece in its place.

        Args:
            words: Words of the texts asked about.
            length: Length of the pieces.
            reach: How far near texts may differ, up to the longest of all texts.
        """
        first = np.flatnonzero(self._places[length].ravel()[words.positions])
        first = first[first + length <= words.first[1:][words.owner[first]]]
        run = words.runs(first, length)
        hits = np.flatnonzero(self._maybe[run >> self._shift])
        first, run = first[hits], run[hits]
        number = np.minimum(np.searchsorted(self._runs, run), len(self._runs) - 1)
        real = self._runs[number] == run
        first, number = first[real], number[real] * _WORDS
        asked = words.owner[first]
        mine = words.counts[asked]
        low = np.searchsorted(self._key, number + reach.least[mine], side="left")
        many = np.searchsorted(self._key, number + reach.most[mine], side="right") - low
        at = np.repeat(low - np.cumsum(many) + many, many) + np.arange(int(many.sum()))
        other = self._words[at]
        before = np.repeat((first - words.first[asked]).astype(np.int32), many) - self._place[at]
        mine = np.repeat(mine.astype(np.int32), many)
        after = mine - other - before
        allowed = reach.edits[np.maximum(mine, other)]
        kept = np.flatnonzero(np.abs(before) + np.abs(after) <= allowed)
        return (np.repeat(asked, many)[kept] * self.texts + self._text[at[kept]]).astype(np.int64)


def _places(
    pieces: Pieces, words: NDArray[np.int64], threshold: float
) -> dict[int, NDArray[np.bool_]]:
    """Return for each length of pieces where one may stand, by words of the text and place.

    Texts of `LONG` words and more, and places so far on, are one row and one column: all true.
    """
    reach = Reach.of(threshold, 2 * LONG)
    found = {}
    for length in np.unique(pieces.length).tolist():
        table = np.zeros((LONG + 1, LONG + 1), bool)
        table[LONG, :] = True
        here = (pieces.length == length) & (reach.least[np.minimum(words, 2 * LONG)] < LONG)
        kinds = np.unique(np.stack([words[here], pieces.place[here]]), axis=1)
        for other, other_place in kinds.T.tolist():
            for mine in range(reach.least[other], min(reach.most[other], LONG - 1) + 1):
                place = np.arange(mine - length + 1)
                before = place - other_place
                after = mine - other - before
                near = np.abs(before) + np.abs(after) <= reach.edits[max(mine, other)]
                table[mine, place[near]] = True
        found[length] = table
    return found
