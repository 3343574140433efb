"""Guard sets: rows that a round may not get worse on by more than a margin."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from asrdq.rounds.change import Change
from asrdq.rounds.criteria import Judged, Level

MARGIN = 0.01


class GuardState(enum.StrEnum):
    """What the data say of a guard set."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard set: its change, the margin, and what follows."""

    change: Change
    margin: float
    state: GuardState

    def __str__(self) -> str:
        said = {
            GuardState.HOLDS: "not worse by more than",
            GuardState.BROKEN: "worse by more than",
            GuardState.UNKNOWN: "not known whether it is worse by more than",
        }[self.state]
        return f"{self.change}: {said} {self.margin:g}"

    def as_must(self) -> Judged:
        """Return the guard as what has to be met: without it no round is a go."""
        met = {GuardState.HOLDS: True, GuardState.BROKEN: False, GuardState.UNKNOWN: None}
        text = f"guard {self.change.metric}_change of {self.change.scope} <= {self.margin:g}"
        told = self.change.interval().strip("()")
        return Judged(Level.MUST, text, self.change.change, met[self.state], why=told)


def judge_guard(change: Change, margin: float = MARGIN) -> Guard:
    """Hold a guard set against its margin: a test of non-inferiority.

    It holds where the whole interval lies below the margin, is broken where the whole interval
    lies above it, and is unknown otherwise. "No significant difference" proves nothing: a small
    guard set never shows one.

    Args:
        change: How its rate changed.
        margin: By how much the rate may rise, as a share: 0.01 is one point.
    """
    if change.low is None or change.high is None:
        return Guard(change, margin, GuardState.UNKNOWN)
    if change.high <= margin:
        return Guard(change, margin, GuardState.HOLDS)
    state = GuardState.BROKEN if change.low > margin else GuardState.UNKNOWN
    return Guard(change, margin, state)
