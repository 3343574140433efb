"""Where things lie on an axis: positions in percent, so that plots scale and text does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_STEPS: Final = (0.02, 0.05, 0.1, 0.2, 0.25)
_MOST_TICKS: Final = 6


@dataclass(frozen=True)
class Scale:
    """A linear axis; what lies outside is drawn at its end.

    Attributes:
        low: Value at the left end.
        high: Value at the right end.
        ticks: Values that are labelled.
    """

    low: float
    high: float
    ticks: tuple[float, ...] = ()

    def at(self, value: float) -> str:
        """Return the position of a value as a CSS percentage.

        >>> Scale(0.0, 0.5).at(0.1), Scale(0.0, 0.5).at(0.9)
        ('20%', '100%')
        """
        return f"{100 * self._share(value):.4g}%"

    def span(self, start: float, end: float) -> str:
        """Return the length from one value to another as a CSS percentage.

        >>> Scale(0.0, 0.5).span(0.1, 0.2)
        '20%'
        """
        return f"{100 * (self._share(end) - self._share(start)):.4g}%"

    def _share(self, value: float) -> float:
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


UNIT: Final = Scale(0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
"""Axis of shares that may be anything from 0 to 1."""


def rate_scale(values: Sequence[float]) -> Scale:
    """Return an axis from 0 that holds all values with a little room and few round ticks.

    >>> rate_scale([0.2, 0.31]).ticks
    (0.0, 0.1, 0.2, 0.3, 0.4)
    """
    largest = max((value for value in values if math.isfinite(value)), default=1.0)
    for step in _STEPS:
        high = step * (math.floor(min(largest, 1.0) / step + 1e-9) + 1)
        if high / step < _MOST_TICKS:
            break
    high = min(1.0, high)
    count = round(high / step)
    return Scale(0.0, high, tuple(round(step * i, 4) for i in range(count + 1)))


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram: from `low` to `high`, `height` of the tallest (0 to 1)."""

    low: float
    high: float
    count: int
    height: float


@dataclass(frozen=True)
class Histogram:
    """Counts of values in bins of equal width.

    Attributes:
        scale: The axis.
        bars: The bins that are not empty.
        count: Values in all.
        quantiles: p10, p25, p50, p75, p90 and mean; empty without values.
    """

    scale: Scale
    bars: tuple[Bar, ...]
    count: int
    quantiles: dict[str, float]


def histogram(values: npt.NDArray[np.float64], scale: Scale, bins: int) -> Histogram:
    """Count values into bins; NaN is left out, what lies outside falls into the end bins."""
    finite = values[np.isfinite(values)]
    inside = np.clip(finite, scale.low, scale.high)
    counts, edges = np.histogram(inside, bins=bins, range=(scale.low, scale.high))
    return Histogram(scale, _bars(counts, edges), len(finite), _quantiles(finite))


def _bars(counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64]) -> tuple[Bar, ...]:
    tallest = max(1, int(counts.max(initial=0)))
    return tuple(
        Bar(float(low), float(high), int(count), int(count) / tallest)
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        if count
    )


def _quantiles(values: npt.NDArray[np.float64]) -> dict[str, float]:
    if not len(values):
        return {}
    found = np.percentile(values, (10, 25, 50, 75, 90))
    names = ("p10", "p25", "p50", "p75", "p90")
    return {**dict(zip(names, map(float, found), strict=True)), "mean": float(values.mean())}


def value_scale(values: npt.NDArray[np.float64], *, whole: bool = False) -> Scale:
    """Return a round axis for measured values: from the 0.5th to the 99.5th percentile.

    Args:
        values: What is to be shown; NaN is left out.
        whole: Whether the axis begins at 0.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Scale(0.0, 1.0, (0.0, 1.0))
    low, high = (float(edge) for edge in np.percentile(finite, (0.5, 99.5)))
    low = min(0.0, low) if whole else low
    step = round_step(max(high - low, 1e-6) / 4)
    start, end = step * math.floor(low / step), step * math.ceil(high / step)
    if end <= start:
        end = start + step
    count = round((end - start) / step)
    return Scale(start, end, tuple(start + step * i for i in range(count + 1)))


def round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 × 10ⁿ that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * 0.999)
