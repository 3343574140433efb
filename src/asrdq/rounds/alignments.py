"""Word alignments of both rounds: errors by their place, and both beside the reference."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.rounds.mapsswe import WordErrors
from asrdq.scoring.aligned import Mark, aligned
from asrdq.scoring.edits import Edit, find_edits
from asrdq.scoring.tokens import tokenise

_ROWS_AT_ONCE = 65_536


def pair_errors(
    before: pa.Table, after: pa.Table, advance: Callable[[int], None] = lambda _: None
) -> tuple[WordErrors, WordErrors]:
    """Return where two rounds are wrong, utterances numbered by their rows.

    Where a reference offers a choice of words and the rounds were scored against different ones,
    places cannot be compared: all errors of the utterance are put into one.

    Args:
        before: Rows with normalised `reference` and `hypothesis`.
        after: The same utterances in the other round.
        advance: Told the number of utterances aligned, for a progress display.
    """
    differ = np.asarray(pc.not_equal(before["reference"], after["reference"]))
    found = [_round_errors(scores, advance) for scores in (before, after)]
    one, two = (
        WordErrors(errors.utterance, np.where(differ[errors.utterance], 0, errors.slot))
        for errors in found
    )
    return one, two


def _round_errors(scores: pa.Table, advance: Callable[[int], None]) -> WordErrors:
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
        advance(some.num_rows)
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


def side_by_side(references: tuple[str, str], before: str, after: str) -> list[Column]:
    """Return both hypotheses aligned with the reference, and so with each other.

    Args:
        references: Normalised text that each round was scored against; words are parted by single
            spaces. They differ only where a reference offers a choice of words, which then stand
            beside each other as `um/uh`.
        before: Hypothesis of the first round.
        after: Hypothesis of the second round.

    Example:
        >>> columns = side_by_side(("a b", "a b"), "a x b", "a")
        >>> [(c.reference, c.before, c.after) for c in columns]
        [('a', 'a', 'a'), ('', 'x', ''), ('b', 'b', '')]
    """
    rounds = [_slots(*texts) for texts in zip(references, (before, after), strict=True)]
    columns: list[Column] = []
    at = [0, 0]
    for place in [*aligned(*references), None]:
        words = (place.reference, place.hypothesis) if place else ("", "")
        here = [bool(word) or place is None for word in words]
        put_in = [
            each.get(2 * i, []) if on else [] for each, i, on in zip(rounds, at, here, strict=True)
        ]
        for pair in itertools.zip_longest(*put_in, fillvalue=_NOTHING):
            columns.append(_column("", pair))
        if place:
            said = [
                each.get(2 * i + 1, [(Mark.RIGHT, word)])[0] if word else _NOTHING
                for each, i, word in zip(rounds, at, words, strict=True)
            ]
            columns.append(_column("/".join(dict.fromkeys(filter(None, words))), said))
        at = [i + on for i, on in zip(at, here, strict=True)]
    return columns


_NOTHING: Final = (Mark.NOTHING, "")


def _column(reference: str, pair: Sequence[tuple[Mark, str]]) -> Column:
    (mark, text), (other, another) = pair
    return Column(reference, text, another, mark, other)


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
