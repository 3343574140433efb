"""Coverage of the intervals over simulated audits with a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from asrdq.sampling.intervals import corrected_limits
from asrdq.sampling.simulation import Design, simulate_audits

pytestmark = pytest.mark.slow

DESIGNS = [
    Design("one of 10", (10,), (100,)),
    Design("one of 30", (30,), (300,)),
    Design("one of 100", (100,), (1_000,)),
    Design("three of 10", (10, 10, 10), (700, 250, 50)),
    Design("three of 30", (30, 30, 30), (700, 250, 50)),
    Design("guide's shares", (40, 40, 20), (700, 250, 50)),
    Design("10 to 1,000", (10, 100, 1000), (5_000, 2_500, 1_500)),
    Design("30 to 1,000", (30, 100, 1000), (5_000, 2_500, 1_500)),
    Design("two complete", (30, 30, 30), (30, 30, 900)),
    Design("twelve of 30", (30,) * 12, (300,) * 12),
]


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.1, 0.2, 0.5])
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_the_population_rate_is_covered(design: Design, rate: float) -> None:
    found = simulate_audits(design, rate, audits=2000, seed=7)
    assert found.coverage >= 0.93
    if min(design.judged) >= 30:
        assert found.coverage <= 0.98


@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_the_plain_normal_interval_does_not_cover(rate: float) -> None:
    """The guard works: the same simulation finds an interval that is too narrow."""
    found = simulate_audits(Design("three of 10", (10,) * 3, (700, 250, 50)), rate, seed=7)
    assert found.normal_coverage < 0.90


@pytest.mark.parametrize("true_rate", [0.0, 0.05, 0.12, 0.3])
@pytest.mark.parametrize(("recall", "alarms"), [(0.97, 0.02), (0.8, 0.05)])
def test_the_corrected_rate_is_covered(true_rate: float, recall: float, alarms: float) -> None:
    random, audits, planted = np.random.default_rng(11), 1000, 100
    judged, population = np.array([60, 40]), np.array([700, 300])
    bad_there = np.rint(true_rate * population).astype(int)
    bad = random.hypergeometric(bad_there, population - bad_there, judged, size=(audits, 2))
    flagged = random.binomial(bad, recall) + random.binomial(judged - bad, alarms)
    tried = np.full(audits, planted)
    low, high = corrected_limits(
        flagged,
        judged,
        population,
        np.column_stack([random.binomial(planted, recall, audits), tried]),
        np.column_stack([random.binomial(planted, alarms, audits), tried]),
    )
    truth = bad_there.sum() / population.sum()
    assert np.mean((low <= truth + 1e-9) & (truth <= high + 1e-9)) >= 0.93
