"""Paired differences: by hand, beside scipy, and their coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap, ttest_1samp

from asrdq.rounds.paired import BlockSums, Differences, Floats, paired_differences
from asrdq.rounds.simulation import Design, simulate


def sums(before: Floats, after: Floats, units: Floats | float = 1.0) -> BlockSums:
    """One cell; a block each entry."""
    columns = [np.asarray(each, float).reshape(-1, 1) for each in (before, after)]
    share = np.broadcast_to(np.asarray(units, float).reshape(-1, 1), columns[0].shape)
    return BlockSums(*columns, share, share, np.ones(share.shape), np.ones(1))


def differences(before: Floats, after: Floats, units: Floats | float = 1.0) -> Differences:
    return paired_differences(sums(before, after, units))


def test_rates_are_pooled_and_not_averaged() -> None:
    found = differences(np.array([1, 0]), np.array([3, 1]), np.array([2, 8]))
    assert (found.before[0], found.after[0]) == pytest.approx((0.1, 0.4))
    assert (found.change[0], found.relative[0]) == pytest.approx((0.3, 3.0))


def test_few_blocks_have_the_interval_of_students_t() -> None:
    """With units of 1 the linearised difference is the mean of the differences.

    The imaginary pair adds 2 ÷ n² to the variance of the mean, as worked out here.
    """
    before, after = np.array([3, 5, 2, 8, 4.0]), np.array([1, 2, 2, 9, 1.0])
    own = ttest_1samp(after - before, 0)
    error = np.sqrt((own.statistic**-1 * (after - before).mean()) ** 2 + 2 / 25)
    found = differences(before, after)
    assert found.error[0] == pytest.approx(error)
    assert found.low[0] == pytest.approx(-1.4 - 2.7764451 * error)
    assert found.high[0] == pytest.approx(-1.4 + 2.7764451 * error)
    assert not found.resampled[0]


def test_from_twenty_blocks_on_the_interval_is_resampled() -> None:
    blocks = np.arange(20.0)
    assert differences(blocks, blocks / 2).resampled[0]
    assert not differences(blocks[:19], blocks[:19] / 2).resampled[0]


def test_the_bootstrap_agrees_with_students_t_where_both_hold() -> None:
    """600 blocks of normal differences: limits within 5 % of the half-width of each other."""
    random = np.random.default_rng(3)
    before = random.normal(20, 3, 600)
    after = before + random.normal(-1, 2, 600)
    own = ttest_1samp(after - before, 0).confidence_interval(0.95)
    found = differences(before, after)
    width = (own.high - own.low) / 2
    assert found.low[0] == pytest.approx(own.low, abs=0.05 * width)
    assert found.high[0] == pytest.approx(own.high, abs=0.05 * width)
    assert found.improvement[0] > 0.999
    assert found.p[0] == pytest.approx(ttest_1samp(after - before, 0).pvalue, rel=0.5)


def test_the_bootstrap_agrees_with_scipys() -> None:
    """300 speakers with words and errors of their own; limits within 5 % of the width."""
    random = np.random.default_rng(4)
    words = random.poisson(200, 300) * 1.0
    before, after = (
        random.binomial(words.astype(int), random.beta(3, b, 300)) * 1.0 for b in (17, 20)
    )
    theirs = bootstrap(
        (before, after, words),
        lambda a, b, n, axis=-1: (b.sum(axis) - a.sum(axis)) / n.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=10_000,
        method="percentile",
        rng=np.random.default_rng(5),
    ).confidence_interval
    found = differences(before, after, words)
    width = theirs.high - theirs.low
    assert found.low[0] == pytest.approx(theirs.low, abs=0.05 * width)
    assert found.high[0] == pytest.approx(theirs.high, abs=0.05 * width)


@pytest.mark.parametrize("blocks", [2, 10, 20, 500])
def test_no_interval_has_a_width_of_nothing(blocks: int) -> None:
    errors = np.ones(blocks)
    found = differences(errors, errors, 4.0)
    assert found.change[0] == 0
    assert found.low[0] < -1 / (4 * blocks)
    assert found.high[0] > 1 / (4 * blocks)
    assert found.improvement[0] == pytest.approx(0.5, abs=0.02)


def test_one_block_says_nothing_of_others() -> None:
    found = differences(np.array([5.0]), np.array([1.0]), 10.0)
    assert found.change[0] == pytest.approx(-0.4)
    assert np.isnan(found.low[0])
    assert np.isnan(found.p[0])


def test_without_units_there_is_no_rate() -> None:
    found = differences(np.zeros(30), np.zeros(30), 0.0)
    assert np.isnan(found.before[0])
    assert np.isnan(found.change[0])


def test_from_nothing_there_is_no_relative_change() -> None:
    found = differences(np.zeros(30), np.ones(30), 10.0)
    assert found.change[0] == pytest.approx(0.1)
    assert np.isnan(found.relative[0])
    assert np.isnan(found.relative_high[0])


def test_the_same_seed_gives_the_same_limits_whatever_else_is_compared() -> None:
    random = np.random.default_rng(1)
    before, after = random.poisson(4, (40, 200)) * 1.0, random.poisson(3, (40, 200)) * 1.0
    units = np.full(before.shape, 20.0)
    many = paired_differences(
        BlockSums(before, after, units, units, np.ones(units.shape), np.ones(200)), seed=5
    )
    alone = paired_differences(sums(before[:, 150], after[:, 150], 20.0), seed=5)
    assert many.low[150] == pytest.approx(alone.low[0], abs=1e-12)
    other = paired_differences(sums(before[:, 150], after[:, 150], 20.0), seed=6)
    assert other.low[0] != alone.low[0]


DESIGNS = [
    Design("5 speakers", 5, 20),
    Design("10 speakers", 10, 20),
    Design("20 speakers", 20, 20),
    Design("30 speakers", 30, 20),
    Design("300 speakers", 300, 20),
    Design("39 rows", 39),
    Design("100 rows", 100),
    Design("1,000 rows", 1000),
    Design("100 terms", 100, 1, 1, 0.3, 0.2),
    Design("1,000 rare errors", 1000, 1, 1, 0.05, 0.045, agreement=0.95),
]
"""Designs with enough errors that differ; where there are few the interval covers more."""
SPARSE = [
    Design("2 speakers", 2, 20),
    Design("25 rare errors", 25, 1, 1, 0.05, 0.03, agreement=0.9),
    Design("39 terms", 39, 1, 1, 0.5, 0.13),
    Design("equal", 100, 1, 12, 0.1, 0.1, agreement=1.0),
]


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_the_interval_covers_the_truth(design: Design) -> None:
    assert 0.93 <= simulate(design, rounds=2000, seed=3).coverage <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("design", SPARSE, ids=lambda design: design.name)
def test_with_little_to_go_on_it_covers_more(design: Design) -> None:
    assert simulate(design, rounds=2000, seed=3).coverage >= 0.95


@pytest.mark.slow
def test_the_simulation_finds_an_interval_that_is_too_narrow() -> None:
    """The guard works: 80 % intervals cover 80 %."""
    found = simulate(Design("30 speakers", 30, 20), rounds=2000, seed=3, confidence=0.80)
    assert found.coverage == pytest.approx(0.80, abs=0.03)
