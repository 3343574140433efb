"""Texts that differ in few words: every pair above a threshold, none missed.

Two texts of n and m words are as near as 1 − d ÷ max(n, m), d being the least number of words
to put in, take out or replace. Nearness of t or more with a text of n words means at most
k = ⌊(1 − t) · ⌊n ÷ t⌋⌋ edits. Cut into k + 1 pieces, one piece of the text then stands unchanged
in the other, shifted by k words at most (Li, Deng, Wang and Feng 2011, PassJoin). An index of
all pieces gives candidates; lengths, places and a bound on differing words thin them out; what
is left is measured.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from asrdq.leakage.words import Hashes, Words, blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPSILON = 1e-9
_WORDS = 1 << 24
"""More words than any text has."""
_SPARSE_BITS, _MOST_BITS = 5, 27
"""The table of pieces that may be there has some 2**5 places for each piece, 2**27 at most."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Texts that are near: number of the text asked about, of the indexed one, and how near."""

    asked: NDArray[np.int64]
    indexed: NDArray[np.int64]
    similarity: NDArray[np.float32]


@dataclass(frozen=True)
class PieceTable:
    """The pieces of indexed texts by hash, and by the words of their text under one hash.

    Attributes:
        lengths: Lengths of pieces in words.
        texts: Number of indexed texts.
    """

    lengths: tuple[int, ...]
    texts: int
    _runs: Hashes
    _key: NDArray[np.int64]
    _text: NDArray[np.int32]
    _place: NDArray[np.int32]
    _words: NDArray[np.int32]
    _maybe: NDArray[np.bool_]
    _shift: np.uint64

    @classmethod
    def build(
        cls,
        run: Hashes,
        text: NDArray[np.int64],
        place: NDArray[np.int64],
        length: NDArray[np.int64],
        counts: NDArray[np.int64],
    ) -> PieceTable:
        """Return the table of pieces: hash, text, place and length of each; words of each text."""
        runs, number = np.unique(run, return_inverse=True)
        key = number * _WORDS + counts[text]
        order = np.argsort(key, kind="stable")
        bits = min(max(10, len(run).bit_length() + _SPARSE_BITS), _MOST_BITS)
        maybe = np.zeros(1 << bits, bool)
        maybe[runs >> np.uint64(64 - bits)] = True
        return cls(
            lengths=tuple(np.unique(length).tolist()),
            texts=len(counts),
            _runs=runs,
            _key=key[order],
            _text=text[order].astype(np.int32),
            _place=place[order].astype(np.int32),
            _words=counts[text[order]].astype(np.int32),
            _maybe=maybe,
            _shift=np.uint64(64 - bits),
        )

    def candidates(
        self,
        words: Words,
        length: int,
        least: NDArray[np.int64],
        most: NDArray[np.int64],
        edits: NDArray[np.int32],
    ) -> NDArray[np.int64]:
        """Return pairs, as text × indexed texts + indexed text, that share a piece in its place.

        Args:
            words: Words of the texts asked about.
            length: Length of the pieces.
            least: Least words of an indexed text for each text.
            most: Most words of it.
            edits: Most edits for each number of words.
        """
        last = words.first[1:][words.owner] - length
        first = np.flatnonzero(np.arange(len(words.starts)) <= last)
        run = words.runs(first, length)
        hits = np.flatnonzero(self._maybe[run >> self._shift])
        first, run = first[hits], run[hits]
        number = np.minimum(np.searchsorted(self._runs, run), len(self._runs) - 1)
        real = self._runs[number] == run
        first, number = first[real], number[real]
        asked = words.owner[first]
        low = np.searchsorted(self._key, number * _WORDS + least[asked], side="left")
        many = np.searchsorted(self._key, number * _WORDS + most[asked], side="right") - low
        at = np.repeat(low - np.cumsum(many) + many, many) + np.arange(int(many.sum()))
        place = np.repeat((first - words.first[asked]).astype(np.int32), many)
        mine = np.repeat(words.counts[asked].astype(np.int32), many)
        before = place - self._place[at]
        after = mine - self._words[at] - before
        allowed = edits[np.maximum(mine, self._words[at])]
        kept = np.flatnonzero(np.abs(before) + np.abs(after) <= allowed)
        return (np.repeat(asked, many)[kept] * self.texts + self._text[at[kept]]).astype(np.int64)


@dataclass(frozen=True)
class NearIndex:
    """Texts that others are compared with.

    Attributes:
        texts: Normalised texts, all different.
        threshold: Least nearness.
        counts: Words of each text.
        hashes: Hash of each text.
        signatures: Bits of the words of each text.
    """

    texts: pa.Array
    threshold: float
    counts: NDArray[np.int64]
    hashes: Hashes
    signatures: Hashes
    _pieces: PieceTable

    @classmethod
    def build(cls, texts: pa.Array, threshold: float) -> NearIndex:
        """Index normalised texts, which are all different and not empty.

        Args:
            texts: The texts.
            threshold: Least nearness, from 0.6 (below it a text could have as many edits as
                words) to below 1.
        """
        parts = [(start, Words.of(block)) for start, block in blocks(texts)]
        counts = np.concatenate([words.counts for _, words in parts])
        pieces = [_pieces(words, start, threshold) for start, words in parts]
        run, text, place, length = (np.concatenate(each) for each in zip(*pieces, strict=True))
        return cls(
            texts=texts,
            threshold=threshold,
            counts=counts,
            hashes=np.concatenate([words.texts() for _, words in parts]),
            signatures=np.concatenate([words.signatures() for _, words in parts]),
            _pieces=PieceTable.build(run, text, place, length, counts),
        )

    def search(self, texts: pa.Array, words: Words) -> Pairs:
        """Return which texts are near an indexed one, though not the same.

        Args:
            texts: Normalised texts.
            words: Their words.
        """
        counts = words.counts
        longest = max(int(counts.max(initial=0)), int(self.counts.max(initial=0)))
        edits = np.floor((1 - self.threshold) * np.arange(longest + 1) + _EPSILON).astype(np.int32)
        least = np.ceil(self.threshold * counts - _EPSILON).astype(np.int64)
        most = np.floor(counts / self.threshold + _EPSILON).astype(np.int64)
        found = [
            self._pieces.candidates(words, length, least, most, edits)
            for length in self._pieces.lengths
        ]
        pairs = np.unique(np.concatenate([np.empty(0, np.int64), *found]))
        asked, indexed = np.divmod(pairs, np.int64(len(self.texts)))
        return self._measured(texts, words, asked, indexed, edits)

    def _measured(
        self,
        texts: pa.Array,
        words: Words,
        asked: NDArray[np.int64],
        indexed: NDArray[np.int64],
        edits: NDArray[np.int32],
    ) -> Pairs:
        from rapidfuzz.distance import Levenshtein
        from rapidfuzz.process import cpdist

        allowed = edits[np.maximum(words.counts[asked], self.counts[indexed])]
        differing = np.bitwise_count(words.signatures()[asked] ^ self.signatures[indexed])
        kept = (differing <= 2 * allowed) & (words.texts()[asked] != self.hashes[indexed])
        asked, indexed = asked[kept], indexed[kept]
        similarity = cpdist(
            [text.split() for text in texts.take(pa.array(asked)).to_pylist()],
            [text.split() for text in self.texts.take(pa.array(indexed)).to_pylist()],
            scorer=Levenshtein.normalized_similarity,
            dtype=np.float32,
        )
        near = similarity >= self.threshold - 1e-6
        return Pairs(asked[near], indexed[near], similarity[near])


def _pieces(
    words: Words, start: int, threshold: float
) -> tuple[Hashes, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return hash, text, place and length in words of each piece of texts."""
    found: list[tuple[Hashes, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
    for count in np.unique(words.counts).tolist():
        edits = int((1 - threshold) * int(count / threshold + _EPSILON) + _EPSILON)
        if edits == 0 or count == 0:
            continue
        text = np.flatnonzero(words.counts == count)
        cuts = [count * number // (edits + 1) for number in range(edits + 2)]
        for place, end in itertools.pairwise(cuts):
            run = words.runs(words.first[text] + place, end - place)
            size = len(text)
            found.append((run, text + start, np.full(size, place), np.full(size, end - place)))
    if not found:
        none = np.empty(0, np.int64)
        return np.empty(0, np.uint64), none, none, none
    run, text, place, length = (np.concatenate(each) for each in zip(*found, strict=True))
    return run, text, place, length
