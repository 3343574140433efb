"""Intervals of rates by resampling blocks of utterances.

Utterances of one speaker are not independent of each other, so whole blocks are drawn again. The
interval is the studentised bootstrap (Efron and Tibshirani 1993, chapter 12): each replicate is
measured by its own standard error, which keeps the coverage near 95 % from a dozen blocks on where
percentiles fall to 85 % (`benchmarks/score_intervals.py`). It needs some blocks with errors and
some without; where there are few of them, or too many replicates have no spread, a t interval on
the scale of the logarithm (or the logit, for shares) takes its place, and where there is no
variance at all, Wilson's score interval of that many trials. Each interval says which one it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from asrdq.sampling.estimators import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.scoring.rates import Formula

    Floats = NDArray[np.float64]

MOST_BLOCKS: Final = 2_000
"""More blocks than this are merged at random: sums of random groups vary as their parts do."""

FEWEST_BLOCKS: Final = 10
"""Blocks that must have errors, and be there at all, for the bootstrap to know their spread."""

REPLICATES: Final = 2_000
_CONFIDENCE: Final = 0.95
_CELLS_AT_ONCE: Final = 4_000_000

_ROUNDING: Final = 1e-12
"""A smaller standard error is none: one error in a billion words has 1e-9, rounding 1e-16."""


_ALIKE: Final = 0.1
"""Blocks of a replicate are alike below this share of the standard error of all blocks."""


class Method(StrEnum):
    """How an interval was made."""

    BOOTSTRAP = "bootstrap"
    T = "t"
    WILSON = "wilson"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Interval:
    """A rate with its limits; NaN where there is nothing to divide by, or only one block.

    Attributes:
        value: The rate.
        low: Lower limit.
        high: Upper limit.
        method: How the limits were found.
        blocks: Number of blocks that they rest on.
    """

    value: float
    low: float
    high: float
    method: Method
    blocks: int


@dataclass(frozen=True, slots=True)
class Blocks:
    """Counts of blocks of utterances, each drawn as one.

    Attributes:
        counts: Shape (blocks, counters).
        strata: The stratum of each block, shape (blocks,): blocks are drawn again within theirs.
            None where all are drawn from one pot.
    """

    counts: Floats
    strata: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return the number of blocks."""
        return len(self.counts)

    def pots(self) -> list[NDArray[np.int64]]:
        """Return the blocks that are drawn together; single blocks of strata share a pot."""
        if self.strata is None:
            return [np.arange(len(self))]
        _, stratum, sizes = np.unique(self.strata, return_inverse=True, return_counts=True)
        pot = np.where(sizes[stratum] > 1, stratum, -1)
        return [np.flatnonzero(pot == number) for number in np.unique(pot)]


ValueAndGradient = Callable[["Floats"], "tuple[Floats, Floats]"]
"""Gives values of shape (n,) and derivatives of shape (n, quantities) for quantities (n, …)."""


def interval(
    blocks: Blocks,
    formula: Formula,
    *,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Interval:
    """Return a rate over blocks with its interval of 95 % confidence.

    Args:
        blocks: What was counted; blocks that the rate knows nothing of are left out.
        formula: The rate.
        seed: Seed of the resampling.
        replicates: How often blocks are drawn again.
    """
    quantities = formula.quantities(blocks.counts)
    concerned = quantities.any(axis=1)
    quantities = quantities[concerned]
    strata = None if blocks.strata is None else blocks.strata[concerned]
    value = float(formula.value_and_gradient(quantities.sum(axis=0, keepdims=True))[0][0])
    size = len(quantities)
    if math.isnan(value):
        return Interval(value, math.nan, math.nan, Method.NONE, size)
    if _single_trials(quantities):
        share = wilson(float(quantities[:, 0].sum()), size, _CONFIDENCE)
        return Interval(value, share.low, share.high, Method.WILSON, size)
    drawn = Blocks(quantities, strata)
    spread = standard_error(drawn, formula.value_and_gradient)
    if size > 1 and spread > _ROUNDING:
        if enough_blocks(drawn):
            low, high = studentised(drawn, formula.value_and_gradient, seed, replicates)
            if math.isfinite(high - low):
                return _within(formula, value, low, high, Method.BOOTSTRAP, size)
        low, high = _transformed_t(value, spread, size - 1, formula.bounded)
        return _within(formula, value, low, high, Method.T, size)
    if (value <= 1 and size > 1) or value == 0 or (value == 1 and formula.bounded):
        share = wilson(value * size, size, _CONFIDENCE)
        return Interval(value, share.low, share.high, Method.WILSON, size)
    return Interval(value, math.nan, math.nan, Method.NONE, size)


def enough_blocks(blocks: Blocks) -> bool:
    """Return whether some of the blocks have errors and some others have right words.

    Without this the replicates are too much alike: many hold no error at all.
    """
    above, below = blocks.counts[:, 0], blocks.counts[:, 1]
    return bool(min(np.count_nonzero(above), np.count_nonzero(above < below)) >= FEWEST_BLOCKS)


def standard_error(blocks: Blocks, function: ValueAndGradient) -> float:
    """Return the linearised standard error of a function of sums over blocks."""
    total = blocks.counts.sum(axis=0, keepdims=True)
    influence = blocks.counts @ function(total)[1][0]
    variance = sum(
        len(pot) / (len(pot) - 1) * float(((influence[pot] - influence[pot].mean()) ** 2).sum())
        for pot in blocks.pots()
        if len(pot) > 1
    )
    return math.sqrt(variance)


def studentised(
    blocks: Blocks,
    function: ValueAndGradient,
    seed: int,
    replicates: int,
) -> tuple[float, float]:
    """Return the limits of a function of sums over blocks by the studentised bootstrap.

    A replicate whose blocks are all but alike has no standard error to measure it by. Where that
    happens to more than a tail of them, the limit on that side is infinite.

    Args:
        blocks: Quantities of the blocks, shape (blocks, quantities).
        function: Gives value and derivatives for sums of quantities.
        seed: Seed of the resampling.
        replicates: How often blocks are drawn again.
    """
    value = float(function(blocks.counts.sum(axis=0, keepdims=True))[0][0])
    error = standard_error(blocks, function)
    steps = []
    for sums, variances in _replicates(blocks, function, seed, replicates):
        away = function(sums)[0] - value
        spread = np.where(variances > (_ALIKE * error) ** 2, np.sqrt(variances), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(away == 0, 0.0, away / spread)
        steps.append(step[~np.isnan(step)])
    tail = (1 - _CONFIDENCE) / 2
    left, right = np.quantile(np.concatenate(steps), [tail, 1 - tail], method="nearest")
    return value - float(right) * error, value - float(left) * error


def _replicates(
    blocks: Blocks, function: ValueAndGradient, seed: int, replicates: int
) -> Iterator[tuple[Floats, Floats]]:
    """Give sums of quantities and variances of the function for some replicates at a time."""
    pots = blocks.pots()
    width = blocks.counts.shape[1]
    pairs = np.triu_indices(width)
    twice = np.where(pairs[0] == pairs[1], 1.0, 2.0)
    at_once = max(1, _CELLS_AT_ONCE // max(1, len(blocks)))
    for start in range(0, replicates, at_once):
        number = min(at_once, replicates - start)
        parts = []
        for place, pot in enumerate(pots):
            counts = blocks.counts[pot]
            drawn = _drawn(seed, place, start, number, len(pot))
            products = counts[:, pairs[0]] * counts[:, pairs[1]] * twice
            parts.append((len(pot), drawn @ counts, drawn @ products))
        sums: Floats = np.sum([part[1] for part in parts], axis=0)
        gradient = function(sums)[1]
        forms = gradient[:, pairs[0]] * gradient[:, pairs[1]]
        variances = np.zeros(number)
        for size, own, squares in parts:
            if size > 1:
                centred = (forms * squares).sum(axis=1) - (gradient * own).sum(axis=1) ** 2 / size
                variances += np.maximum(centred, 0.0) * size / (size - 1)
        yield sums, variances


@lru_cache(maxsize=4)
def _drawn(seed: int, pot: int, start: int, replicates: int, blocks: int) -> Floats:
    """Return how often each block is drawn; the same for every rate and group of so many blocks."""
    generator = np.random.default_rng([abs(seed), pot, start, blocks])
    return draw_again(generator, replicates, blocks)


def draw_again(generator: np.random.Generator, replicates: int, blocks: int) -> Floats:
    """Return how often each block is drawn in each replicate, shape (replicates, blocks)."""
    drawn = generator.integers(0, blocks, (replicates, blocks))
    drawn += np.arange(replicates)[:, None] * blocks
    counted = np.bincount(drawn.ravel(), minlength=replicates * blocks)
    return counted.reshape(replicates, blocks).astype(np.float64)


def _single_trials(quantities: Floats) -> bool:
    """Return whether every block is one trial that came out right or wrong."""
    return quantities.shape[1] == 2 and bool(
        (quantities[:, 1] == 1).all() and np.isin(quantities[:, 0], (0, 1)).all()
    )


def _transformed_t(value: float, spread: float, freedom: int, bounded: bool) -> tuple[float, float]:
    """Return a t interval on the logit scale for a share below 1, else on that of the logarithm.

    Where the interval is wider than the rate itself, the logarithm goes on as its chord: two blocks
    would give limits in the thousands.
    """
    from scipy.stats import t

    reach = float(t.ppf(0.5 + _CONFIDENCE / 2, freedom)) * spread
    if bounded and value < 1:
        factor = math.exp(min(reach / (value * (1 - value)), 700.0))
        odds = value / (1 - value)
        return odds / (factor + odds), odds * factor / (1 + odds * factor)
    relative = reach / value
    above = math.exp(relative) if relative <= 1 else 1 + (math.e - 1) * relative
    return value * math.exp(-relative), value * above


def _within(
    formula: Formula, value: float, low: float, high: float, method: Method, blocks: int
) -> Interval:
    """Return an interval cut at what the rate can be."""
    top = 1.0 if formula.bounded else math.inf
    return Interval(value, min(max(low, 0.0), value), max(min(high, top), value), method, blocks)
