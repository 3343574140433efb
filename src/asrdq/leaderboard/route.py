"""A route: what to do after an evaluation, with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What to do next."""

    TUNE = "fine-tune"
    GROW = "grow the manifest"
    HARDEN = "harden the evaluation"
    PRONUNCIATION = "cover pronunciations"
    NOTHING_KNOWN = "score keywords"


@dataclass(frozen=True, slots=True)
class Route:
    """What to do after an evaluation.

    Attributes:
        action: What the rate itself asks for.
        priority: The category that decides; empty for all rows together.
        chosen: How it came to be the one.
        first: Whether this is the first evaluation on the manifest.
        ker: Its KER; None where no keyword was scored.
        low: Lower limit of the 95 % interval.
        high: Upper limit.
        rows: Rows of the evaluation.
        category_rows: Rows of the category.
        between: What the interval leaves open, if it reaches over a limit; else empty.
        rows_needed: About how many rows of the category would decide, if the rate stays as it
            is; None where it is decided, or no number would do.
        reasons: Why, a sentence each.
    """

    action: Action
    priority: str
    chosen: str
    first: bool
    ker: float | None
    low: float | None
    high: float | None
    rows: int
    category_rows: int
    between: tuple[Action, ...]
    rows_needed: int | None
    reasons: tuple[str, ...]

    @property
    def decided(self) -> bool:
        """Whether the whole interval asks for the same."""
        return not self.between and self.action is not Action.NOTHING_KNOWN

    @property
    def verdict(self) -> str:
        """The action in a few words, or what it is undecided between."""
        if self.between:
            return f"undecided between: {', '.join(self.between)}"
        return str(self.action)

    def told(self) -> tuple[str, ...]:
        """Return the priority category, how it was chosen, and the reasons, a sentence each."""
        name = f"'{self.priority}'" if self.priority else "all rows"
        return f"priority: {name} ({self.chosen})", *self.reasons
