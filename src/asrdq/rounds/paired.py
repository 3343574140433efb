"""Differences of two error rates over the same utterances, with intervals.

An error rate is a ratio of sums, and utterances of a speaker resemble each other. So the sums of
whole blocks (speakers, or utterances where there is none) are what is resampled. Everything here
works on many cells at once, a cell being one metric in one group of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from asrdq.scoring.resampling import draw_again

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REPLICATES = 10_000
LEAST_BLOCKS = 20
"""Fewer blocks are too few to resample: the interval comes from Student's t then."""
_REPLICATES_AT_ONCE = 1_000
_CELLS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class BlockSums:
    """Errors and units (words, characters, utterances, terms) of blocks, shape (blocks, cells).

    Attributes:
        errors_before: Errors of the first round.
        errors_after: Errors of the second round.
        units_before: What the errors of the first round are divided by.
        units_after: The same of the second round; differs where the references do.
        rows: Utterances that count.
        step: What one error of one utterance adds to the sums, shape (cells,): 1, or the mean
            weight where rows are weighted.
    """

    errors_before: Floats
    errors_after: Floats
    units_before: Floats
    units_after: Floats
    rows: Floats
    step: Floats


@dataclass(frozen=True, slots=True)
class Differences:
    """Rates of both rounds and their difference, each of shape (cells,); NaN is not known.

    Attributes:
        before: Rate of the first round; NaN where there is no unit.
        after: Rate of the second round.
        change: After − before; negative is better.
        low: Lower limit of the change; NaN where fewer than two blocks say anything.
        high: Upper limit.
        relative: after ÷ before − 1; NaN where before is 0.
        relative_low: Lower limit of it.
        relative_high: Upper limit of it.
        p: Two-sided p value of no change, by Student's t on the linearised difference.
        improvement: Probability that the second round is better: the share of replicates, or of
            Student's t where the interval is made from it.
        error: Standard error of the change.
        blocks: Blocks with units.
        rows: Utterances.
        resampled: Whether the interval is a bootstrap interval.
    """

    before: Floats
    after: Floats
    change: Floats
    low: Floats
    high: Floats
    relative: Floats
    relative_low: Floats
    relative_high: Floats
    p: Floats
    improvement: Floats
    error: Floats
    blocks: Integers
    rows: Integers
    resampled: NDArray[np.bool_]


def paired_differences(
    sums: BlockSums,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    confidence: float = 0.95,
) -> Differences:
    """Return the change of each cell with its interval.

    From 20 blocks on the interval is a bootstrap percentile interval, widened for small samples
    as in T. Hesterberg, "What Teachers Should Know about the Bootstrap" (2015): the quantiles
    are taken at Φ(−√(n/(n−1)) t). With fewer it is change ± t · standard error, the error being
    that of the linearised ratios. In both, two imaginary utterances are added to the spread
    (not to the rates), one better and one worse by one error, as D. Bonett and R. Price (2012)
    do for paired shares: no interval has a width of 0 because no pair happened to differ. With
    n utterances of one unit each of which none differs, it reaches to about 3 ÷ n.

    Args:
        sums: What the blocks hold.
        replicates: Bootstrap replicates.
        seed: Seed of the resampling; the same gives the same limits.
        confidence: Nominal coverage.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found = _linearised(sums, confidence)
    wide = np.flatnonzero(found.blocks >= LEAST_BLOCKS)
    if len(wide):
        counts = _draws(len(sums.rows), replicates, seed)
        noise = _imaginary(replicates, seed)
        for start in range(0, len(wide), _CELLS_AT_ONCE):
            _resample(found, sums, wide[start : start + _CELLS_AT_ONCE], counts, noise, confidence)
    return found


def _linearised(sums: BlockSums, confidence: float) -> Differences:
    """Return everything as Student's t gives it."""
    units_before, units_after = sums.units_before.sum(0), sums.units_after.sum(0)
    before = sums.errors_before.sum(0) / units_before
    after = sums.errors_after.sum(0) / units_after
    change, relative = after - before, after / before - 1
    relative[before == 0] = np.nan
    share_before = (sums.errors_before - before * sums.units_before) / units_before
    share_after = (sums.errors_after - after * sums.units_after) / units_after
    blocks = (sums.units_before + sums.units_after > 0).sum(0)
    imaginary = sums.step / units_after
    error = _spread(share_after - share_before, blocks, imaginary)
    relative_error = _spread(
        (share_after - (1 + relative) * share_before) / before, blocks, imaginary / before
    )
    freedom = np.where(blocks > 1, blocks - 1.0, np.nan)
    width = t.ppf(0.5 + confidence / 2, freedom)
    return Differences(
        before=before,
        after=after,
        change=change,
        low=change - width * error,
        high=change + width * error,
        relative=relative,
        relative_low=np.maximum(relative - width * relative_error, -1.0),
        relative_high=relative + width * relative_error,
        p=2 * t.sf(np.abs(change) / error, freedom),
        improvement=t.cdf(-change / error, freedom),
        error=error,
        blocks=blocks,
        rows=sums.rows.sum(0).astype(np.int64),
        resampled=np.zeros(len(change), np.bool_),
    )


def _spread(deviations: Floats, blocks: Integers, imaginary: Floats) -> Floats:
    variance = blocks / (blocks - 1.0) * (deviations**2).sum(0)
    spread: Floats = np.sqrt(variance + 2 * imaginary**2)
    return spread


@lru_cache(maxsize=2)
def _draws(blocks: int, replicates: int, seed: int) -> NDArray[np.uint8]:
    """Return how often each replicate draws each block, shape (replicates, blocks).

    They are kept, because every metric and grouping of a comparison draws the same blocks.
    """
    generator = np.random.default_rng([seed, 0])
    counts = np.empty((replicates, blocks), np.uint8)
    for start in range(0, replicates, _REPLICATES_AT_ONCE):
        some = counts[start : start + _REPLICATES_AT_ONCE]
        some[:] = draw_again(generator, len(some), blocks)
    counts.flags.writeable = False
    return counts


def _imaginary(replicates: int, seed: int) -> Floats:
    """Return by how many errors the two imaginary utterances move each replicate."""
    random = np.random.default_rng([seed, 1])
    worse, better = random.poisson(1.0, (2, replicates))
    moved: Floats = (worse - better).astype(np.float64)
    return moved


def _resample(
    found: Differences,
    sums: BlockSums,
    cells: Integers,
    counts: NDArray[np.uint8],
    noise: Floats,
    confidence: float,
) -> None:
    """Put bootstrap limits and probabilities in the place of those of Student's t."""
    parts = (sums.errors_before, sums.errors_after, sums.units_before, sums.units_after)
    stacked = np.concatenate([part[:, cells] for part in parts], axis=1)
    totals = np.concatenate(
        [
            counts[start : start + _REPLICATES_AT_ONCE].astype(np.float64) @ stacked
            for start in range(0, len(counts), _REPLICATES_AT_ONCE)
        ]
    )
    errors_before, errors_after, units_before, units_after = np.split(totals, 4, axis=1)
    errors_after = errors_after + noise[:, None] * sums.step[cells]
    with np.errstate(divide="ignore", invalid="ignore"):
        before, after = errors_before / units_before, errors_after / units_after
        change, relative = after - before, after / before - 1
    relative[~np.isfinite(relative)] = np.nan
    for column, cell in enumerate(cells):
        tail = _tail(int(found.blocks[cell]), confidence)
        found.low[cell], found.high[cell] = np.nanquantile(change[:, column], [tail, 1 - tail])
        if np.isfinite(found.relative[cell]):
            limits = np.nanquantile(relative[:, column], [tail, 1 - tail])
            found.relative_low[cell] = max(limits[0], -1.0)
            found.relative_high[cell] = limits[1]
        better, same = change[:, column] < 0, change[:, column] == 0
        found.improvement[cell] = better.mean() + same.mean() / 2
        found.resampled[cell] = True


def _tail(blocks: int, confidence: float) -> float:
    """Return the share of replicates beyond a limit, Hesterberg's expanded percentile."""
    reach = (blocks / (blocks - 1)) ** 0.5 * t.ppf(0.5 + confidence / 2, blocks - 1)
    return float(norm.cdf(-reach))
