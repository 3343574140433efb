"""Texts that differ in few words: every pair above a threshold, none missed.

Two texts of n and m words are as near as 1 − d ÷ max(n, m), d being the least number of words
to put in, take out or replace. Nearness of t or more with a text of n words means at most
k = ⌊(1 − t) · ⌊n ÷ t⌋⌋ edits. Cut into k + 1 pieces, one piece of the text then stands unchanged
in the other, shifted by k words at most (Li, Deng, Wang and Feng 2011, PassJoin). An index of
all pieces gives candidates; lengths, places and a bound on differing words thin them out; what
is left is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from asrdq.leakage.pieces import Pieces, PieceTable, Reach, cut
from asrdq.leakage.words import Hashes, Words, blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pairs:
    """Texts that are near: number of the text asked about, of the indexed one, and how near."""

    asked: NDArray[np.int64]
    indexed: NDArray[np.int64]
    similarity: NDArray[np.float32]


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
        pieces = Pieces.joined([cut(words, start, threshold) for start, words in parts])
        return cls(
            texts=texts,
            threshold=threshold,
            counts=counts,
            hashes=np.concatenate([words.texts() for _, words in parts]),
            signatures=np.concatenate([words.signatures() for _, words in parts]),
            _pieces=PieceTable.build(pieces, counts, threshold),
        )

    def search(self, texts: pa.Array, words: Words) -> Pairs:
        """Return which texts are near an indexed one, though not the same.

        Args:
            texts: Normalised texts.
            words: Their words.
        """
        longest = max(int(words.counts.max(initial=0)), int(self.counts.max(initial=0)))
        reach = Reach.of(self.threshold, longest)
        found = [self._pieces.candidates(words, length, reach) for length in self._pieces.lengths]
        pairs = np.unique(np.concatenate([np.empty(0, np.int64), *found]))
        asked, indexed = np.divmod(pairs, np.int64(len(self.texts)))
        return self._measured(texts, words, asked, indexed, reach)

    def _measured(
        self,
        texts: pa.Array,
        words: Words,
        asked: NDArray[np.int64],
        indexed: NDArray[np.int64],
        reach: Reach,
    ) -> Pairs:
        from rapidfuzz.distance import Levenshtein
        from rapidfuzz.process import cpdist

        allowed = reach.edits[np.maximum(words.counts[asked], self.counts[indexed])]
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
