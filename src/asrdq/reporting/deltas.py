"""Changes between two rounds as rows of an interval plot."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from asrdq.reporting.plots import Scale, round_step

_TICKS_A_SIDE: Final = 2
_MOST_REACH: Final = 2.5


@dataclass(frozen=True)
class DeltaRow:
    """A change of an error rate; below 0 it became better. Limits are NaN where there are none."""

    name: str
    delta: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def tone(self) -> str:
        """`ok` where it became better, `stop` where worse, `accent` where nobody can tell."""
        if not self.known or self.low <= 0 <= self.high:
            return "accent"
        return "ok" if self.high < 0 else "stop"

    @property
    def meaning(self) -> str:
        """The same in words."""
        return {"ok": "better", "stop": "worse", "accent": "cannot be told from 0"}[self.tone]


@dataclass(frozen=True)
class DeltaPlot:
    """Changes on one axis with 0 in its middle."""

    rows: tuple[DeltaRow, ...]
    scale: Scale


def delta_plot(rows: Iterable[DeltaRow]) -> DeltaPlot:
    """Return changes on an axis that reaches as far on both sides of 0.

    It holds every change, and intervals up to 2.5 times the largest one: those of tiny groups would
    leave no room for the others. What reaches beyond is drawn with an arrow.
    """
    shown = tuple(rows)
    ends = [abs(end) for row in shown if row.known for end in (row.low, row.high)]
    largest = max((abs(row.delta) for row in shown), default=0.0)
    reach = max(largest, min(max(ends, default=0.0), _MOST_REACH * largest or math.inf)) or 0.01
    step = round_step(reach / _TICKS_A_SIDE)
    count = math.ceil(reach / step - 1e-9)
    ticks = tuple(round(step * i, 6) for i in range(-count, count + 1))
    return DeltaPlot(shown, Scale(-step * count, step * count, ticks))
