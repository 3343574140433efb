"""Word alignments of both rounds: errors by their place, and both beside the reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from asrdq.rounds.mapsswe import WordErrors
from asrdq.scoring.aligned import Mark, aligned
from asrdq.scoring.edits import Edit, find_edits
from asrdq.scoring.tokens import tokenise

_ROWS_AT_ONCE = 65_536


def round_errors(scores: pa.Table) -> WordErrors:
    """Return where a round is wrong, utterances numbered by their rows.

    Args:
        scores: Rows with normalised `reference` and `hypothesis`.
    """
    utterances, slots = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start in range(0, scores.num_rows, _ROWS_AT_ONCE):
        some = scores.slice(start, _ROWS_AT_ONCE)
        references, hypotheses = (
            some[name].combine_chunks() for name in ("reference", "hypothesis")
        )
        pairs = tokenise(references, hypotheses)
        edits = find_edits(pairs.references, pairs.hypotheses)
        utterances.append(edits.pair + start)
        slots.append(2 * edits.reference + (edits.kind != Edit.INSERTION))
    return WordErrors(np.concatenate(utterances), np.concatenate(slots))


@dataclass(frozen=True, slots=True)
class Column:
    """One place of an alignment: a word of the reference, or what was inserted before it.

    Attributes:
        reference: The word; empty where a round inserted one.
        before: What the first round has there.
        after: What the second round has there.
        mark_before: What became of the word in the first round.
        mark_after: The same in the second round.
    """

    reference: str
    before: str
    after: str
    mark_before: Mark
    mark_after: Mark


_Slots = dict[int, list[tuple[Mark, str]]]


def side_by_side(reference: str, before: str, after: str) -> list[Column]:
    """Return both hypotheses aligned with the reference, and so with each other.

    Args:
        reference: Normalised text; words are parted by single spaces.
        before: Hypothesis of the first round.
        after: Hypothesis of the second round.

    Example:
        >>> [(c.reference, c.before, c.after) for c in side_by_side("a b", "a x b", "a")]
        [('a', 'a', 'a'), ('', 'x', ''), ('b', 'b', '')]
    """
    words = reference.split()
    rounds = [_slots(reference, text) for text in (before, after)]
    columns: list[Column] = []
    for slot in range(2 * len(words) + 1):
        word = words[slot // 2] if slot % 2 else ""
        found = [each.get(slot, []) for each in rounds]
        default = (Mark.RIGHT, word) if slot % 2 else (Mark.NOTHING, "")
        for place in range(max(map(len, found), default=0) or slot % 2):
            (mark, text), (other, another) = (
                each[place] if place < len(each) else default for each in found
            )
            columns.append(Column(word, text, another, mark, other))
    return columns


def _slots(reference: str, hypothesis: str) -> _Slots:
    """Return the errors of a hypothesis by their slots; inserted words in their order."""
    found: _Slots = {}
    at = 0
    for word in aligned(reference, hypothesis):
        inserted = word.mark is Mark.INSERTED
        if word.mark is not Mark.RIGHT:
            found.setdefault(2 * at + (not inserted), []).append((word.mark, word.hypothesis))
        at += not inserted
    return found
