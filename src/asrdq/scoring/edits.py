"""The errors of many hypotheses at once: substitutions, deletions and insertions.

Which of several alignments with the least errors is meant follows the rule of rapidfuzz, and so of
jiwer: from the end of both texts, a deletion where the distance allows it, else an insertion where
the row before allows it, else both texts go on by a word. The words that a pair has in common at
both ends are cut off first; what is left is aligned for thousands of pairs a step, cell by cell of
the edit matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz.distance import Levenshtein

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.scoring.tokens import Tokens

LONGEST_IN_MATRIX = 48
"""Pairs with more differing words than this are aligned one by one; an int8 holds the distance."""

_PAIRS_A_STEP = 16_384
_SIZES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, LONGEST_IN_MATRIX)


class Edit(IntEnum):
    """What is wrong with a word."""

    SUBSTITUTION = 0
    DELETION = 1
    INSERTION = 2


@dataclass(frozen=True, slots=True)
class Edits:
    """The errors of n pairs of texts, in no particular order; arrays of shape (errors,).

    Attributes:
        pair: The pair that an error belongs to.
        kind: An `Edit` each.
        reference: Place in the reference, in words: of the word that was replaced or left out, or
            of the word before which one was put in.
        hypothesis: Place in the hypothesis in the same way.
    """

    pair: NDArray[np.int64]
    kind: NDArray[np.int8]
    reference: NDArray[np.int64]
    hypothesis: NDArray[np.int64]

    def count(self, kind: Edit, pairs: int) -> NDArray[np.int64]:
        """Return how many errors of a kind each of `pairs` pairs has."""
        return np.bincount(self.pair[self.kind == kind], minlength=pairs)


def find_edits(references: Tokens, hypotheses: Tokens) -> Edits:
    """Return the errors of each hypothesis against its reference.

    Source of the tie rule: `Levenshtein.editops` of rapidfuzz 3.
    """
    prefix = _common_prefix(references, hypotheses)
    suffix = _common_suffix(references, hypotheses, prefix)
    left = references.lengths - prefix - suffix
    right = hypotheses.lengths - prefix - suffix
    differing = np.flatnonzero((left > 0) | (right > 0))
    middles = _Middles(
        references.ids,
        hypotheses.ids,
        references.starts[:-1] + prefix,
        hypotheses.starts[:-1] + prefix,
        left,
        right,
    )
    nothing = np.empty(0, np.int64)
    found = [(nothing, nothing, nothing, nothing), *_middle_edits(middles, differing)]
    pair, kind, reference, hypothesis = map(np.concatenate, zip(*found, strict=True))
    return Edits(pair, kind.astype(np.int8), reference + prefix[pair], hypothesis + prefix[pair])


def _common_prefix(references: Tokens, hypotheses: Tokens) -> NDArray[np.int64]:
    """Return how many first words each pair has in common."""
    shared = np.minimum(references.lengths, hypotheses.lengths)
    return _run(
        references.ids, hypotheses.ids, references.starts[:-1], hypotheses.starts[:-1], 1, shared
    )


def _common_suffix(
    references: Tokens, hypotheses: Tokens, prefix: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how many last words each pair has in common, beyond the common first ones."""
    shared = np.minimum(references.lengths, hypotheses.lengths) - prefix
    ends = references.starts[1:] - 1, hypotheses.starts[1:] - 1
    return _run(references.ids, hypotheses.ids, *ends, -1, shared)


def _run(
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    left_from: NDArray[np.int64],
    right_from: NDArray[np.int64],
    step: int,
    longest: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return for how many words both sides agree, going on by `step` from their beginnings."""
    agreed = np.zeros(len(longest), np.int64)
    active = np.flatnonzero(longest > 0)
    done = 0
    while len(active):
        same = left[left_from[active] + step * done] == right[right_from[active] + step * done]
        done += 1
        active = active[same]
        agreed[active] = done
        active = active[longest[active] > done]
    return agreed


@dataclass(frozen=True, slots=True)
class _Middles:
    """What pairs of texts have between their common ends."""

    left_ids: NDArray[np.int32]
    right_ids: NDArray[np.int32]
    left_from: NDArray[np.int64]
    right_from: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]

    def padded(
        self, pairs: NDArray[np.int64], size: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return both sides as arrays of shape (size, pairs); padding agrees with nothing."""
        place = np.arange(size)[:, None]
        sides = []
        for ids, start, length, padding in (
            (self.left_ids, self.left_from, self.left, -1),
            (self.right_ids, self.right_from, self.right, -2),
        ):
            inside = place < length[pairs]
            where = np.where(inside, start[pairs] + place, 0)
            taken = ids[where] if len(ids) else np.zeros(where.shape, np.int32)
            sides.append(np.where(inside, taken, np.int32(padding)))
        return sides[0], sides[1]


_Found = tuple["NDArray[np.int64]", "NDArray[np.integer]", "NDArray[np.int64]", "NDArray[np.int64]"]


def _middle_edits(middles: _Middles, differing: NDArray[np.int64]) -> Iterator[_Found]:
    """Give the errors of the pairs that differ, pairs of similar size together."""
    longest = np.maximum(middles.left[differing], middles.right[differing])
    below = 0
    for size in _SIZES:
        pairs = differing[(longest > below) & (longest <= size)]
        for start in range(0, len(pairs), _PAIRS_A_STEP):
            yield from _align(middles, pairs[start : start + _PAIRS_A_STEP], size)
        below = size
    for pair in differing[longest > LONGEST_IN_MATRIX].tolist():
        yield _align_alone(middles, pair)


def _align(middles: _Middles, pairs: NDArray[np.int64], size: int) -> Iterator[_Found]:
    """Give the errors of pairs whose middles have at most `size` words, walking back their ways."""
    left, right = middles.padded(pairs, size)
    ways = _ways(left, right)
    at_left, at_right = middles.left[pairs].copy(), middles.right[pairs].copy()
    active = np.arange(len(pairs))
    while len(active):
        i, j = at_left[active], at_right[active]
        way = ways[i, j, active]
        deleted, inserted = way == _DELETE, way == _INSERT
        i -= ~inserted
        j -= ~deleted
        replaced = way == _REPLACE
        wrong = deleted | inserted | replaced
        kinds = np.where(deleted, Edit.DELETION, np.where(inserted, Edit.INSERTION, 0))
        yield pairs[active[wrong]], kinds[wrong], i[wrong], j[wrong]
        at_left[active], at_right[active] = i, j
        active = active[(i > 0) | (j > 0)]


_KEEP, _REPLACE, _INSERT, _DELETE = range(4)


def _ways(left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.int8]:
    """Return the last step of the way to each cell of the edit matrices of many pairs.

    Args:
        left: Numbers of the words of references, shape (size, pairs).
        right: Those of hypotheses, of the same shape.

    Returns:
        One of `_KEEP`, `_REPLACE`, `_INSERT` and `_DELETE`, shape (size + 1, size + 1, pairs).
    """
    size, pairs = left.shape
    ways = np.empty((size + 1, size + 1, pairs), np.int8)
    ways[0, :], ways[1:, 0] = _INSERT, _DELETE
    before = np.repeat(np.arange(size + 1, dtype=np.int8)[:, None], pairs, axis=1)
    here = np.empty_like(before)
    for i in range(1, size + 1):
        here[0] = i
        for j in range(1, size + 1):
            _cell(left[i - 1], right[j - 1], before[j - 1 : j + 1], here[j - 1 : j + 1], ways[i, j])
        before, here = here, before
    return ways


def _cell(
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    before: NDArray[np.int8],
    here: NDArray[np.int8],
    way: NDArray[np.int8],
) -> None:
    """Fill one cell of all matrices: `here[1]` from its three neighbours, and the way to it."""
    differs = (left != right).view(np.int8)
    distance = np.minimum(before[1], here[0])
    distance += 1
    np.minimum(distance, before[0] + differs, out=here[1])
    way[:] = differs
    way[here[0] < before[0]] = _INSERT
    way[here[1] > before[1]] = _DELETE


def _align_alone(middles: _Middles, pair: int) -> _Found:
    """Return the errors of one long pair."""
    start, other = middles.left_from[pair], middles.right_from[pair]
    left = middles.left_ids[start : start + middles.left[pair]].tolist()
    right = middles.right_ids[other : other + middles.right[pair]].tolist()
    operations = Levenshtein.editops(left, right)
    kinds = np.array([_KINDS[op.tag] for op in operations], np.int8)
    places = np.array([(op.src_pos, op.dest_pos) for op in operations], np.int64).reshape(-1, 2)
    return np.full(len(kinds), pair), kinds, places[:, 0], places[:, 1]


_KINDS = {"replace": Edit.SUBSTITUTION, "delete": Edit.DELETION, "insert": Edit.INSERTION}
