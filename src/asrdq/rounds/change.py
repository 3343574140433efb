"""One change of one rate, as decisions look at it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from asrdq.rounds.paired import Differences

_NARROW = 0.01


@dataclass(frozen=True, slots=True)
class Change:
    """A rate in two rounds; what is not known is None.

    Attributes:
        metric: `wer`, `cer`, `ser` or `ker`.
        scope: Which rows, in words: `all rows`, `domain=clean`.
        rows: Utterances that count.
        blocks: Speakers, or utterances where there are none.
        before: Rate of the first round.
        after: Rate of the second round.
        change: After − before; negative is better.
        low: Lower limit of the change.
        high: Upper limit.
        relative: after ÷ before − 1.
        relative_low: Lower limit of it.
        relative_high: Upper limit of it.
        improvement: Probability that the second round is better.
        error: Standard error of the change.
    """

    metric: str
    scope: str
    rows: int
    blocks: int
    before: float | None
    after: float | None
    change: float | None
    low: float | None
    high: float | None
    relative: float | None
    relative_low: float | None
    relative_high: float | None
    improvement: float | None
    error: float | None

    @property
    def better(self) -> bool:
        """Whether the whole interval lies below 0."""
        return self.high is not None and self.high < 0

    @property
    def worse(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low is not None and self.low > 0

    def __str__(self) -> str:
        if self.before is None or self.after is None or self.change is None:
            return f"{self.metric.upper()} of {self.scope}: not measured"
        digits = self._digits()
        said = f"{self.metric.upper()} of {self.scope}: "
        said += f"{self.before:.{digits}f} → {self.after:.{digits}f}"
        return f"{said}, Δ {self.change:+.{digits}f} {self.interval()}"

    def interval(self) -> str:
        """Return the limits of the change in words."""
        if self.low is None or self.high is None:
            return "(no interval: one utterance)"
        digits = self._digits()
        return f"(95 % interval {self.low:+.{digits}f} … {self.high:+.{digits}f})"

    def _digits(self) -> int:
        """Return how many digits tell the limits apart."""
        if self.low is None or self.high is None or self.high - self.low >= _NARROW:
            return 3
        return 5


def change_of(found: Differences, cell: int, metric: str, scope: str) -> Change:
    """Return one cell of differences."""

    def value(name: str) -> float | None:
        number = float(getattr(found, name)[cell])
        return number if math.isfinite(number) else None

    names = ("before", "after", "change", "low", "high", "relative")
    more = ("relative_low", "relative_high", "improvement", "error")
    return Change(
        metric,
        scope,
        int(found.rows[cell]),
        int(found.blocks[cell]),
        **{name: value(name) for name in (*names, *more)},
    )
