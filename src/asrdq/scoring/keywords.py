"""Keyword errors: was the term heard, and was it heard where nobody said it?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from asrdq.scoring.edits import Edit
from asrdq.scoring.tokens import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from asrdq.scoring.edits import Edits
    from asrdq.scoring.tokens import TokenPairs
    from asrdq.scoring.vocabulary import Occurrences, Vocabulary


class TermFault(StrEnum):
    """Why a term of a row is not scored: the manifest is wrong, not the hypothesis."""

    EMPTY = "empty_term"
    ABSENT = "absent_from_reference"


@dataclass(frozen=True, slots=True)
class RowTerms:
    """The terms that rows are asked for: `row` and the `term` as written, shape (n,) each."""

    row: NDArray[np.int64]
    term: Sequence[str]


@dataclass(frozen=True, slots=True)
class KeywordScores:
    """What became of the terms of n pairs of texts.

    Attributes:
        fault: One for each entry of `RowTerms`: a `TermFault`, or None where it is scored.
        missed: Whether the hypothesis lacks the term; False where it is not scored.
        hits: Occurrences in each reference, of any term, whose words were all heard in place.
        misses: The other occurrences in each reference.
        false: Occurrences in each hypothesis that no reference accounts for.
    """

    fault: list[TermFault | None]
    missed: NDArray[np.bool_]
    hits: NDArray[np.int64]
    misses: NDArray[np.int64]
    false: NDArray[np.int64]


def score_keywords(
    pairs: TokenPairs, edits: Edits, asked: RowTerms, vocabulary: Vocabulary
) -> KeywordScores:
    """Return what became of terms.

    A term that a row is asked for is missed unless its words stand in the hypothesis, adjacent
    and in order (source: the playbook's KER). Hits, misses and false ones count every occurrence
    of every term of the vocabulary by the word alignment.
    """
    rows = len(pairs.references)
    if not len(vocabulary):
        nothing = np.zeros(rows, np.int64)
        missed = np.zeros(len(asked.term), bool)
        return KeywordScores([TermFault.EMPTY] * len(missed), missed, nothing, nothing, nothing)
    numbered = vocabulary.numbered(pairs)
    said = numbered.find(pairs.references, len(pairs.words))
    heard = numbered.find(pairs.hypotheses, len(pairs.words))
    right = words_right(pairs, edits, said, vocabulary.lengths)
    hits = np.bincount(said.text[right], minlength=rows)
    false = np.bincount(heard.text, minlength=rows) - hits
    term = np.array([vocabulary.index[written] for written in asked.term], np.int64)
    present = _among(asked.row, term, said, len(vocabulary))
    missed = present & ~_among(asked.row, term, heard, len(vocabulary))
    fault = [
        TermFault.EMPTY if number == UNKNOWN else None if there else TermFault.ABSENT
        for number, there in zip(term.tolist(), present.tolist(), strict=True)
    ]
    misses = np.bincount(said.text[~right], minlength=rows)
    return KeywordScores(fault, missed, hits, misses, np.maximum(false, 0))


def words_right(
    pairs: TokenPairs, edits: Edits, said: Occurrences, lengths: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return of which occurrences in references all words were heard, with nothing between."""
    errors = span_errors(pairs, edits, said.place, lengths[said.term])
    none: NDArray[np.bool_] = ~np.any(list(errors.values()), axis=0)
    return none


def span_errors(
    pairs: TokenPairs, edits: Edits, place: NDArray[np.int64], length: NDArray[np.int64]
) -> dict[Edit, NDArray[np.int64]]:
    """Return the errors inside spans of references, of each kind, shape (spans,).

    A word that is put in counts where it stands between two words of the span.

    Args:
        pairs: The texts.
        edits: Their errors.
        place: First word of each span, in the words of all references.
        length: Number of words of each span.
    """
    where = pairs.references.starts[edits.pair] + edits.reference
    inside = np.minimum(place + 1, place + length)
    begins = {Edit.SUBSTITUTION: place, Edit.DELETION: place, Edit.INSERTION: inside}
    found = {}
    for kind, begin in begins.items():
        before = _running(where[edits.kind == kind], len(pairs.references.ids))
        found[kind] = before[place + length] - before[begin]
    return found


def _running(where: NDArray[np.int64], words: int) -> NDArray[np.int64]:
    """Return how many errors lie before each word, and before the end; shape (words + 2,)."""
    counted = np.bincount(where, minlength=words + 1)
    return np.concatenate([[0], np.cumsum(counted)])


def _among(
    row: NDArray[np.int64], term: NDArray[np.int64], found: Occurrences, terms: int
) -> NDArray[np.bool_]:
    """Return which rows have their term among the occurrences."""
    there = np.isin(row * terms + term, found.text * terms + found.term)
    among: NDArray[np.bool_] = (term != UNKNOWN) & there
    return among
