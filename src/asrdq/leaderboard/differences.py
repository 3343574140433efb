"""The difference of two rates that rest on different rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class Estimate(Protocol):
    """A rate with its limits; None where one is unknown."""

    @property
    def rate(self) -> float | None:
        """The rate."""

    @property
    def low(self) -> float | None:
        """Lower limit."""

    @property
    def high(self) -> float | None:
        """Upper limit."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One rate less another, with an interval; `low` and `high` are None where it has none."""

    value: float
    low: float | None
    high: float | None

    @property
    def excludes_zero(self) -> bool:
        """Whether the data tell the two rates apart."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def independent_difference(first: Estimate, second: Estimate) -> Difference | None:
    """Return `first` less `second`; None where one of them has no rate.

    The limits are made of those of the two rates, each with its own method: the distances from the
    rates to the limits that lie apart are added as squares. Newcombe (1998, method 10) for shares,
    Zou and Donner (2008) for any. The rows of both have to be different ones. Speakers with rows in
    both make the two rates alike, so the interval is then wider than it need be.
    """
    if first.rate is None or second.rate is None:
        return None
    value = first.rate - second.rate
    if None in (first.low, first.high, second.low, second.high):
        return Difference(value, None, None)
    assert first.low is not None and first.high is not None
    assert second.low is not None and second.high is not None
    return Difference(
        value,
        value - math.hypot(first.rate - first.low, second.high - second.rate),
        value + math.hypot(first.high - first.rate, second.rate - second.low),
    )
