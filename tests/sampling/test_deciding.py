"""How many more clips would decide."""

from __future__ import annotations

import pytest

from asrdq.sampling.deciding import clips_to_decide
from asrdq.sampling.estimators import StratumCount, population_interval


def test_the_least_number_that_takes_the_interval_off_the_limit() -> None:
    strata = [StratumCount("noisy", 5000, 100, 12), StratumCount("clean", 5000, 100, 2)]
    assert population_interval(strata).straddles(0.10)
    more = clips_to_decide(strata, 0.10)
    assert more.total is not None
    assert more.expected is not None
    assert not more.expected.straddles(0.10)
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
        return population_interval(counts).straddles(0.10)

    assert grown(int(more.total * 0.9))
    assert not grown(int(more.total * 1.05))


def test_a_rate_on_the_limit_needs_nearly_all() -> None:
    more = clips_to_decide([StratumCount("a", 1000, 100, 10)], 0.101)
    assert more.total is not None
    assert more.total > 850
    assert "close to the limit" in more.explanation


def test_no_number_decides_where_the_blind_part_is_all() -> None:
    more = clips_to_decide([StratumCount("a", 50, 50, 10), StratumCount("b", 0, 0, 0)], 0.2)
    assert more.total == 0 or more.total is None


@pytest.mark.parametrize("limit", [0.05, 0.15])
def test_a_stratum_is_never_asked_for_more_than_it_has(limit: float) -> None:
    strata = [StratumCount("small", 60, 50, 20), StratumCount("large", 9000, 50, 3)]
    more = clips_to_decide(strata, limit)
    assert more.by_stratum.get("small", 0) <= 10
