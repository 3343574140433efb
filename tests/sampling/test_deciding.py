"""How many more clips would decide."""

from __future__ import annotations

import pytest

from asrdq.sampling.deciding import MoreClips, clips_to_decide, present_need
from asrdq.sampling.estimators import Limit, StratumCount, population_interval, sample_rate, wilson

TEN = Limit(0.10)


def decided(strata: list[StratumCount], limit: Limit) -> MoreClips:
    more = clips_to_decide(strata, limit)
    assert more is not None
    return more


def test_the_least_number_that_takes_the_interval_off_the_limit() -> None:
    strata = [StratumCount("noisy", 5000, 100, 12), StratumCount("clean", 5000, 100, 2)]
    assert population_interval(strata).straddles(TEN)
    more = decided(strata, TEN)
    assert more.total is not None
    assert more.expected is not None
    assert not more.expected.straddles(TEN)
    assert sum(more.by_stratum.values()) == more.total
    assert next(iter(more.by_stratum)) == "noisy"
    assert "noisy" in more.explanation

    def grown(extra: int) -> bool:
        share = extra / more.total if more.total else 0
        added = {name: count * share for name, count in more.by_stratum.items()}
        counts = [
            StratumCount(
                s.name,
                s.population,
                s.judged + added.get(s.name, 0),
                s.low * (1 + added.get(s.name, 0) / s.judged),
            )
            for s in strata
        ]
        return population_interval(counts).straddles(TEN)

    assert grown(int(more.total * 0.9))
    assert not grown(int(more.total * 1.05))


def test_a_rate_on_the_limit_needs_nearly_all() -> None:
    more = decided([StratumCount("a", 1000, 100, 10)], Limit(0.101))
    assert more.total is not None
    assert more.total > 850
    assert "close to the limit" in more.explanation


def test_nothing_is_needed_where_the_interval_is_off_the_limit() -> None:
    counted = [StratumCount("a", 50, 50, 10), StratumCount("b", 0, 0, 0)]
    assert clips_to_decide(counted, Limit(0.2)) is None
    assert clips_to_decide([StratumCount("a", 1000, 100, 0)], Limit(0.2)) is None


def test_no_number_decides_where_the_rate_has_no_finite_population() -> None:
    strata = [StratumCount("a", 200, 100, 10)]
    more = clips_to_decide(strata, TEN, estimate=sample_rate, need=present_need)
    assert more is not None
    assert more.total is None
    assert "even the whole manifest would not decide: the rate is 10.00 %" in more.explanation


def test_the_sample_rate_is_decided_by_a_larger_sample_of_the_same_make_up() -> None:
    strata = [StratumCount("noisy", 50_000, 100, 22), StratumCount("clean", 5_000, 100, 2)]
    more = clips_to_decide(strata, TEN, estimate=sample_rate, need=present_need)
    assert more is not None
    assert more.total is not None
    assert more.expected is not None
    assert sum(more.by_stratum.values()) == more.total
    assert abs(more.by_stratum["noisy"] - more.by_stratum["clean"]) <= 1
    # 24 of 200, 12 %: Wilson's lower limit passes 10 % at about 1000 clips.
    assert more.expected.value == pytest.approx(0.12, abs=1e-3)
    assert wilson(0.12 * (200 + more.total), 200 + more.total).low == pytest.approx(0.1, abs=2e-4)
    assert more.total < decided(strata, Limit(0.20)).total  # type: ignore[operator]


def test_the_side_of_the_limit_decides_where_the_interval_ends_on_it() -> None:
    """Of 40 clips 39 are judged, 6 of them bad: 6 or 7 of the 40 are, 15 or 17.5 %."""
    strata = [StratumCount("a", 40, 39, 6)]
    interval = population_interval(strata)
    assert (interval.low, interval.high) == pytest.approx((0.15, 0.175))
    assert clips_to_decide(strata, Limit(0.15)) is None
    more = clips_to_decide(strata, Limit(0.15, belongs_below=True))
    assert more is not None


@pytest.mark.parametrize("limit", [0.05, 0.15])
def test_a_stratum_is_never_asked_for_more_than_it_has(limit: float) -> None:
    strata = [StratumCount("small", 60, 50, 20), StratumCount("large", 9000, 50, 3)]
    more = clips_to_decide(strata, Limit(limit))
    assert more is not None
    assert more.by_stratum.get("small", 0) <= 10
