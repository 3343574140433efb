"""Texts as words, and words as numbers, so that many pairs are compared at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNKNOWN = -1
"""Number of a word that no text has."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of n texts, one after the other.

    Attributes:
        ids: Number of each word, int32 of shape (words of all texts,).
        starts: Where the words of each text begin; shape (n + 1,), the last one being the end.
    """

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of words in each text."""
        return np.diff(self.starts)

    def rows(self) -> NDArray[np.int64]:
        """Return the text that each word belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)


@dataclass(frozen=True, slots=True)
class TokenPairs:
    """References and hypotheses with one numbering of words.

    Attributes:
        references: Words of the references.
        hypotheses: Words of the hypotheses, text by text the same utterances.
        words: The word of each number.
    """

    references: Tokens
    hypotheses: Tokens
    words: pa.Array

    def numbers(self, words: Sequence[str]) -> NDArray[np.int32]:
        """Return the number of each word, `UNKNOWN` for those that no text has."""
        found = pc.index_in(pa.array(words, pa.string()), self.words)
        return np.asarray(pc.fill_null(found, UNKNOWN)).astype(np.int32)


def tokenise(references: pa.Array, hypotheses: pa.Array) -> TokenPairs:
    """Split normalised texts into words and number the words.

    Args:
        references: Texts whose words are parted by single spaces; none is null.
        hypotheses: As many texts.
    """
    parts, starts = zip(*(_split(texts) for texts in (references, hypotheses)), strict=True)
    numbered = pa.chunked_array(parts, pa.string()).combine_chunks().dictionary_encode()
    ids = numbered.indices.to_numpy()
    cut = len(parts[0])
    return TokenPairs(
        Tokens(ids[:cut], starts[0]), Tokens(ids[cut:], starts[1]), numbered.dictionary
    )


def _split(texts: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return all words and where those of each text begin; an empty text has none."""
    lists = pc.split_pattern(texts, " ")
    words = lists.flatten()
    starts = np.asarray(lists.offsets).astype(np.int64)
    starts -= starts[0]
    empty = np.asarray(pc.equal(texts, ""))
    if empty.any():
        words = words.filter(pa.array(np.repeat(~empty, np.diff(starts))))
        starts[1:] -= np.cumsum(empty)
    return words, starts
