"""Utterances of an evaluation before and after a round: what it gained most, what it lost most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.errors import DataError
from asrdq.rounds.changed_rows import Kind, changed_rows
from asrdq.rounds.pairing import Pairing, pair, word_error_counts
from asrdq.rounds.ruler import by_one_ruler
from asrdq.rounds.scored import Round
from asrdq.scoring.aligned import AlignedWord, aligned
from asrdq.scoring.scorings import scorings

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

SHOWN: Final = 10
"""Utterances with the largest gains that are shown, and as many with the largest losses."""
MOST_WORDS: Final = 60
"""Places of an alignment that are shown of one utterance."""

_GAINS: Final = (Kind.FIXED, Kind.BETTER)
_LOSSES: Final = (Kind.BROKEN, Kind.WORSE)


@dataclass(frozen=True)
class Side:
    """What one round made of an utterance.

    Attributes:
        errors: Substitutions, deletions and insertions.
        places: Its alignment with the reference, at most `MOST_WORDS` places of it.
        hidden: Places after those.
    """

    errors: int
    places: tuple[AlignedWord, ...]
    hidden: int


@dataclass(frozen=True)
class Utterance:
    """An utterance whose number of word errors changed; texts are normalised.

    Attributes:
        utt_id: Its id.
        reference: What was said.
        words: Words of it.
        before: The older round.
        after: The newer one.
    """

    utt_id: str
    reference: str
    words: int
    before: Side
    after: Side

    @property
    def change(self) -> int:
        """By how many the errors grew; below 0 is better."""
        return self.after.errors - self.before.errors


@dataclass(frozen=True)
class BeforeAfter:
    """Both rounds on the same utterances, by the ruler of the newer one.

    Attributes:
        gains: Those that lost most errors.
        losses: Those that got most.
        counts: How many utterances were fixed, broken, better, worse, right in both rounds
            (`right`) and wrong in both with as many errors (`same`).
        why_not: Why there are none, where the scores can no longer be put side by side.
    """

    gains: tuple[Utterance, ...] = ()
    losses: tuple[Utterance, ...] = ()
    counts: dict[str, int] | None = None
    why_not: str = ""


def before_and_after(workspace: Workspace, before_run_id: str, after_run_id: str) -> BeforeAfter:
    """Put two scorings side by side, as the comparison of them did.

    Args:
        workspace: Where the scores are.
        before_run_id: The scoring of the older round.
        after_run_id: That of the newer one.
    """
    found = {scoring.run_id: scoring for scoring in scorings(workspace)}
    if before_run_id not in found or after_run_id not in found:
        return BeforeAfter(why_not="the scores that were compared are no longer there")
    older, newer = (
        Round(found[run_id], workspace.manifest(found[run_id].manifest))
        for run_id in (before_run_id, after_run_id)
    )
    try:
        measured = by_one_ruler(workspace, older, newer)
        pairing = pair(measured.before.utterances, measured.after.utterances, ids="common")
    except DataError as error:
        return BeforeAfter(why_not=error.message)
    changed = changed_rows(pairing)
    return BeforeAfter(
        gains=_first(changed, _GAINS), losses=_first(changed, _LOSSES), counts=_counts(pairing)
    )


def _first(changed: pa.Table, kinds: Sequence[Kind]) -> tuple[Utterance, ...]:
    """Return the first utterances of some kinds; the table has the greatest changes first."""
    own = changed.filter(pc.is_in(changed["kind"], pa.array([str(kind) for kind in kinds])))
    return tuple(_utterance(row) for row in own.slice(0, SHOWN).to_pylist())


def _utterance(row: dict[str, Any]) -> Utterance:
    return Utterance(
        utt_id=row["utt_id"],
        reference=row["reference"],
        words=row["words"],
        before=_side(row["reference_before"], row["before"], row["errors_before"]),
        after=_side(row["reference"], row["after"], row["errors_after"]),
    )


def _side(reference: str, hypothesis: str, errors: int) -> Side:
    places = aligned(reference, hypothesis)
    return Side(errors, tuple(places[:MOST_WORDS]), max(0, len(places) - MOST_WORDS))


def _counts(pairing: Pairing) -> dict[str, int]:
    before, after = (word_error_counts(rows) for rows in (pairing.before, pairing.after))
    told = {
        "fixed": (before > 0) & (after == 0),
        "better": (after < before) & (after > 0),
        "broken": (before == 0) & (after > 0),
        "worse": (after > before) & (before > 0),
        "right": (before == 0) & (after == 0),
        "same": (before == after) & (before > 0),
    }
    return {name: int(np.count_nonzero(rows)) for name, rows in told.items()}
