"""Rates and intervals: vectors by hand, scipy as the oracle, and simulations of coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, hypergeom

from asrdq.sampling.estimators import (
    Instrument,
    Limit,
    Rate,
    StratumCount,
    corrected_rate,
    population_interval,
    sample_rate,
    wilson,
)

LOW = {"whatsapp_noisy": (1000, 123), "kan_clean": (1000, 38), "long_tail": (500, 31)}


def guide(*population: int) -> list[StratumCount]:
    return [
        StratumCount(name, size, *LOW[name]) for name, size in zip(LOW, population, strict=True)
    ]


def test_the_unweighted_rate_of_the_guide() -> None:
    assert sum(low for _, low in LOW.values()) == 192
    assert sample_rate(guide(70_000, 25_000, 5_000)).value == pytest.approx(0.0768, abs=1e-12)


@pytest.mark.parametrize(
    ("population", "rate"),
    [((70_000, 25_000, 5_000), 0.0987), ((85_000, 10_000, 5_000), 0.11145)],
)
def test_the_population_rate_follows_the_manifest(
    population: tuple[int, int, int], rate: float
) -> None:
    found = population_interval(guide(*population))
    assert found.value == pytest.approx(rate, abs=1e-12)
    assert found.low < rate < found.high


@pytest.mark.parametrize(("found", "trials"), [(0, 10), (1, 10), (7, 30), (50, 100), (30, 30)])
def test_wilson_agrees_with_scipy(found: int, trials: int) -> None:
    expected = binomtest(found, trials).proportion_ci(0.95, method="wilson")
    got = wilson(found, trials)
    assert got.low == pytest.approx(expected.low, abs=1e-12)
    assert got.high == pytest.approx(expected.high, abs=1e-12)


def test_wilson_of_nothing_says_so() -> None:
    assert wilson(0, 0) == Rate(None, 0.0, 1.0, 0.95, "no clip was judged")


def test_a_complete_count_has_no_width() -> None:
    assert wilson(3, 20, population=20) == Rate(0.15, 0.15, 0.15, 0.95)
    counted = population_interval([StratumCount("a", 20, 20, 3), StratumCount("b", 60, 60, 3)])
    assert (counted.low, counted.value, counted.high) == pytest.approx((0.075, 0.075, 0.075))


@pytest.mark.parametrize("low", [0, 10])
def test_a_width_remains_where_no_or_every_clip_is_low(low: int) -> None:
    rate = population_interval([StratumCount("a", 100, 10, low)])
    assert rate.high - rate.low > 0.2


def test_a_stratum_without_a_judged_clip_may_be_anything() -> None:
    rate = population_interval([StratumCount("a", 100, 50, 5), StratumCount("b", 300, 0, 0)])
    assert rate.value is None
    assert rate.reason == "no clip was judged in b"
    assert rate.low <= 0.1 * 0.25
    assert rate.high >= 0.75


def test_no_clip_judged_at_all() -> None:
    assert population_interval([StratumCount("a", 10, 0, 0)]).value is None


def test_counts_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="stratum 'a'"):
        StratumCount("a", population=10, judged=11, low=0)
    with pytest.raises(ValueError, match="instrument"):
        Instrument(found=5, planted=0, false_alarms=0, untouched=10)


def mid_p_interval(low: int, judged: int) -> tuple[float, float]:
    """Exact mid-p limits of one binomial share, by bisection on scipy's tails."""

    def solve(upper: bool) -> float:
        near, far = low / judged, 1.0 if upper else 0.0
        for _ in range(60):
            p = 0.5 * (near + far)
            half = 0.5 * binom.pmf(low, judged, p)
            tail = binom.cdf(low - 1, judged, p) if upper else binom.sf(low, judged, p)
            near, far = (p, far) if tail + half > 0.025 else (near, p)
        return near

    return solve(False), solve(True)


@pytest.mark.parametrize(("low", "judged"), [(60, 600), (150, 500), (250, 500), (980, 1000)])
def test_one_large_stratum_gives_the_mid_p_interval(low: int, judged: int) -> None:
    rate = population_interval([StratumCount("a", 10**9, judged, low)])
    exact = mid_p_interval(low, judged)
    # Rare values are allowed 1.4 times the tail, so ours may be a little wider, never narrower.
    assert rate.low == pytest.approx(exact[0], rel=0.01)
    assert rate.high == pytest.approx(exact[1], rel=0.01)


@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.integers(0, 400), st.floats(0, 1)), min_size=1, max_size=5
    )
)
@example([(1, 200, 1.0), (10, 29, 0.0), (50, 141, 0.75)])  # a rate within rounding of 1
@settings(max_examples=30)
def test_an_interval_holds_its_value_and_what_is_possible(
    drawn: list[tuple[int, int, float]],
) -> None:
    strata = [
        StratumCount(str(i), judged + rest, judged, round(judged * share))
        for i, (judged, rest, share) in enumerate(drawn)
    ]
    clips = sum(s.population for s in strata)
    rate = population_interval(strata)
    assert rate.value is not None
    assert 0.0 <= rate.low <= rate.value <= rate.high <= 1.0
    assert rate.low >= sum(s.low for s in strata) / clips - 1e-9 or rate.low == rate.value
    mirrored = [StratumCount(s.name, s.population, s.judged, s.judged - s.low) for s in strata]
    other = population_interval(mirrored)
    assert other.low == pytest.approx(1.0 - rate.high, abs=1e-6 + 1.5 / clips)


@given(st.permutations(list(range(3))))
@settings(max_examples=6)
def test_the_order_of_strata_does_not_matter(order: list[int]) -> None:
    strata = guide(70_000, 25_000, 5_000)
    assert str(population_interval([strata[i] for i in order])) == str(population_interval(strata))


def test_a_perfect_instrument_changes_little() -> None:
    strata = guide(70_000, 25_000, 5_000)
    rate = corrected_rate(strata, instrument=Instrument(10_000, 10_000, 0, 10_000))
    plain = population_interval(strata)
    assert rate.value == pytest.approx(plain.value)
    assert rate.low == pytest.approx(plain.low, abs=0.002)
    assert rate.high == pytest.approx(plain.high, abs=0.002)


def test_rogan_and_gladen_by_hand() -> None:
    # 12 % flagged, recall 0.8, false alarms 0.04: (0.12 - 0.04) / (0.80 - 0.04) = 0.105263.
    rate = corrected_rate(
        [StratumCount("a", 100_000, 1000, 120)], instrument=Instrument(80, 100, 4, 100)
    )
    assert rate.value == pytest.approx(0.08 / 0.76)
    plain = population_interval([StratumCount("a", 100_000, 1000, 120)])
    assert rate.high - rate.low > (plain.high - plain.low) / 0.76


def test_a_corrected_rate_stays_inside_0_and_1() -> None:
    none = corrected_rate(
        [StratumCount("a", 10_000, 200, 2)], instrument=Instrument(90, 100, 5, 100)
    )
    every = corrected_rate(
        [StratumCount("a", 10_000, 200, 195)], instrument=Instrument(90, 100, 5, 100)
    )
    assert (none.value, none.low) == (0.0, 0.0)
    assert (every.value, every.high) == (1.0, 1.0)


def test_a_weak_instrument_leaves_the_rate_undefined() -> None:
    rate = corrected_rate(
        [StratumCount("a", 10_000, 200, 20)], instrument=Instrument(15, 100, 10, 100)
    )
    assert rate.value is None
    assert (rate.low, rate.high) == (0.0, 1.0)
    assert "0.05 only" in rate.reason


def test_a_corrected_rate_needs_every_stratum() -> None:
    strata = [StratumCount("a", 100, 50, 5), StratumCount("b", 300, 0, 0)]
    assert corrected_rate(strata, instrument=Instrument(90, 100, 2, 100)).value is None


def test_straddling_a_limit() -> None:
    above, below = Limit(0.10), Limit(0.10, belongs_below=True)
    for rate, by_above, by_below in (
        (Rate(0.1, 0.08, 0.12), True, True),
        (Rate(0.1, 0.08, 0.10), True, False),
        (Rate(0.1, 0.10, 0.12), False, True),
        (Rate(0.1, 0.10, 0.10), False, False),
        (Rate(0.1, 0.08, 0.0999), False, False),
    ):
        assert (rate.straddles(above), rate.straddles(below)) == (by_above, by_below)


def test_a_complete_count_without_a_hit_is_zero_and_not_minus_zero() -> None:
    assert str(population_interval([StratumCount("a", 80, 80, 0)])) == "0.0 % [0.0, 0.0]"


def test_counts_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="low 6, judged 5 and population 10 must not decrease"):
        StratumCount("a", 10, 5, 6)


def test_exact_coverage_of_a_small_stratum() -> None:
    """All outcomes of 12 clips out of 40, weighted by their exact probability."""
    judged, population = 12, 40
    limits = [population_interval([StratumCount("a", population, judged, x)]) for x in range(13)]
    for bad in range(1, population):
        truth = bad / population
        chances = hypergeom.pmf(np.arange(judged + 1), population, bad, judged)
        held = [rate.low <= truth + 1e-9 and truth <= rate.high + 1e-9 for rate in limits]
        assert math.fsum(chances[held]) >= 0.93, bad
