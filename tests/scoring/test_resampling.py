"""Intervals of rates by blocks of utterances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, t

from asrdq.scoring.rates import COUNTERS, FORMULAS, HIGHER_IS_BETTER, Metric
from asrdq.scoring.resampling import FEWEST_BLOCKS, Blocks, Method, draw_again, interval

WER, SER, KER = FORMULAS[Metric.WER], FORMULAS[Metric.SER], FORMULAS[Metric.KER]


def blocks_of(words: object, errors: object, strata: object = None, **more: object) -> Blocks:
    """Return blocks of one utterance each with substitutions only."""
    n, e = np.asarray(words, float), np.asarray(errors, float)
    columns = {
        "words": n,
        "hits": n - e,
        "substitutions": e,
        "utterances": np.ones(len(n)),
        "wrong": (e > 0).astype(float),
        **{name: np.asarray(values, float) for name, values in more.items()},
    }
    counts = np.zeros((len(n), len(COUNTERS)))
    for name, values in columns.items():
        counts[:, COUNTERS.index(name)] = values
    return Blocks(counts, None if strata is None else np.asarray(strata, np.int64))


def drawn(rng: np.random.Generator, size: int, rate: float) -> Blocks:
    words = rng.integers(3, 25, size)
    return blocks_of(words, rng.binomial(words, rng.beta(rate * 20, (1 - rate) * 20, size)))


def test_the_thirty_nine_rows_of_the_playbook() -> None:
    """⊢ 20 misses of 39 are 0.513, 5 are 0.128; limits by scipy."""
    for misses, rate in ((20, 0.513), (5, 0.128)):
        missed = np.arange(39) < misses
        blocks = blocks_of(
            np.zeros(39), np.zeros(39), keyword_rows=np.ones(39), keyword_missed=missed
        )
        found = interval(blocks, KER)
        assert found.value == pytest.approx(rate, abs=5e-4)
        limits = binomtest(misses, 39).proportion_ci(method="wilson")
        assert (found.low, found.high) == pytest.approx((limits.low, limits.high))
        assert (found.method, found.blocks) == (Method.WILSON, 39)


def test_few_blocks_have_a_t_interval_on_the_logarithm() -> None:
    words, errors = np.array([10.0, 20.0, 10.0]), np.array([2.0, 3.0, 3.0])
    rate = 8 / 40
    error = math.sqrt(3 / 2 * ((errors - rate * words) ** 2).sum()) / 40
    reach = t.ppf(0.975, 2) * error / rate
    found = interval(blocks_of(words, errors), WER)
    assert found.method is Method.T
    assert found.low == pytest.approx(rate * math.exp(-reach))
    above = math.exp(reach) if reach <= 1 else 1 + (math.e - 1) * reach
    assert found.high == pytest.approx(rate * above)


def test_two_blocks_far_apart_have_a_wide_but_not_an_absurd_interval() -> None:
    found = interval(blocks_of([10, 10], [1, 9]), WER)
    assert found.low < 0.01
    assert 1 < found.high < 20


def test_blocks_that_are_mostly_alike_have_a_finite_interval() -> None:
    """12 of 15 blocks are alike: 1 replicate in 28 has no spread, and t takes over."""
    found = interval(blocks_of(np.full(15, 5), [1] * 12 + [5] * 3), WER)
    assert found.method is Method.T
    assert found.value == pytest.approx(27 / 75)
    errors = np.array([1] * 12 + [5] * 3)
    spread = math.sqrt(15 / 14 * ((errors - 27 / 15) ** 2).sum()) / 75
    reach = t.ppf(0.975, 14) * spread / found.value
    assert (found.low, found.high) == pytest.approx(
        (found.value * math.exp(-reach), found.value * math.exp(reach))
    )
    nearly = interval(blocks_of(np.arange(29, 44), [1] * 12 + [41, 42, 43]), WER)
    assert nearly.method is Method.T
    assert nearly.high < 1


def test_no_error_at_all_is_no_certainty() -> None:
    found = interval(blocks_of(np.full(39, 5), np.zeros(39)), WER)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(0.0897, abs=5e-5)  # Wilson, 0 of 39
    assert found.method is Method.WILSON


@pytest.mark.parametrize("metric", list(Metric))
def test_speakers_of_other_sizes_without_an_error(metric: Metric) -> None:
    """Rounding in the gradient of WIL is no spread: Wilson's limits of 7 blocks."""
    n = np.array([2.0, 1, 2, 2, 1, 2, 2])
    perfect = blocks_of(5 * n, 0 * n, characters=38 * n, keyword_rows=n, keyword_hits=n, worded=n)
    perfect.counts[:, COUNTERS.index("utterances")] = n
    perfect.counts[:, COUNTERS.index("wrong")] = 0
    found = interval(perfect, FORMULAS[metric])
    limits = binomtest(0, 7).proportion_ci(method="wilson")
    good = metric in HIGHER_IS_BETTER
    assert found.value == good
    expected = (1 - limits.high, 1) if good else (0, limits.high)
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.method is Method.WILSON


def test_one_block_that_is_all_wrong_has_no_limit_of_wer() -> None:
    found = interval(blocks_of([5], [5]), WER)
    assert (found.value, found.method) == (1.0, Method.NONE)
    assert interval(blocks_of([5], [5]), SER).method is Method.WILSON


def test_one_block_has_no_interval() -> None:
    found = interval(blocks_of([10], [2]), WER)
    assert found.value == 0.2
    assert found.method is Method.NONE
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_no_words_have_no_rate() -> None:
    found = interval(blocks_of([0, 0], [0, 0]), WER)
    assert math.isnan(found.value)
    assert found.method is Method.NONE


def test_blocks_that_a_rate_knows_nothing_of_are_left_out() -> None:
    asked = np.array([1.0, 1.0, 0.0, 0.0])
    blocks = blocks_of(np.full(4, 5), np.zeros(4), keyword_rows=asked, keyword_missed=[1, 0, 0, 0])
    assert interval(blocks, KER).blocks == 2


def test_the_bootstrap_needs_blocks_with_errors_and_without() -> None:
    rng = np.random.default_rng(1)
    words = np.full(60, 12)
    errors = np.zeros(60)
    errors[: FEWEST_BLOCKS - 1] = 2 + rng.integers(0, 3, FEWEST_BLOCKS - 1)
    assert interval(blocks_of(words, errors), WER).method is Method.T
    errors[FEWEST_BLOCKS - 1] = 2
    assert interval(blocks_of(words, errors), WER).method is Method.BOOTSTRAP


def test_the_same_seed_gives_the_same_interval() -> None:
    blocks = drawn(np.random.default_rng(2), 50, 0.2)
    assert interval(blocks, WER, seed=1) == interval(blocks, WER, seed=1)
    assert interval(blocks, WER, seed=1) != interval(blocks, WER, seed=2)


def test_replicates_draw_as_many_blocks_as_there_are() -> None:
    counted = draw_again(np.random.default_rng(0), 200, 37)
    assert counted.shape == (200, 37)
    assert (counted.sum(axis=1) == 37).all()
    assert counted.mean() == 1


def test_strata_that_differ_do_not_widen_the_interval() -> None:
    rng = np.random.default_rng(3)
    low, high = drawn(rng, 60, 0.1), drawn(rng, 60, 0.6)
    together = np.concatenate([low.counts, high.counts])
    stratified = interval(Blocks(together, np.repeat([0, 1], 60)), WER)
    pooled = interval(Blocks(together), WER)
    assert stratified.value == pooled.value
    assert stratified.high - stratified.low < 0.75 * (pooled.high - pooled.low)


def test_single_blocks_of_strata_share_a_pot() -> None:
    pots = blocks_of(np.ones(5), np.zeros(5), strata=[0, 0, 1, 2, 0]).pots()
    assert sorted(pot.tolist() for pot in pots) == [[0, 1, 4], [2, 3]]


@pytest.mark.slow
@pytest.mark.parametrize("size", [25, 100])
@pytest.mark.parametrize("rate", [0.1, 0.3])
@pytest.mark.parametrize("metric", [Metric.WER, Metric.WIL])
def test_the_interval_covers_the_truth_95_percent_of_the_time(
    size: int, rate: float, metric: Metric
) -> None:
    """Truth by hand: S of N words wrong at `rate`, so WIP is the square of one minus it."""
    rng = np.random.default_rng(int(1000 * rate) + size)
    truth = rate if metric is Metric.WER else 1 - (1 - rate) ** 2
    trials = 600
    found = [
        interval(drawn(rng, size, rate), FORMULAS[metric], seed=trial, replicates=400)
        for trial in range(trials)
    ]
    covered = sum(each.low <= truth <= each.high for each in found) / trials
    assert 0.925 <= covered <= 0.985
