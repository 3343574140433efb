"""Detectable changes and corrected p values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from asrdq.rounds.detectable import detectable_change, holm, rows_to_detect


def test_the_detectable_change_is_the_textbooks() -> None:
    """1.9600 + 0.8416 standard errors with many blocks; t quantiles with ten."""
    found = detectable_change(np.array([1.0, 1.0]), np.array([10**7, 10]))
    assert found == pytest.approx([2.8016, 2.2622 + 0.8834], abs=1e-4)


def test_one_block_detects_nothing() -> None:
    assert np.isnan(detectable_change(np.array([1.0]), np.array([1]))[0])


def test_it_is_detected_four_times_in_five() -> None:
    """Simulated z tests of a change of the detectable size."""
    least = float(detectable_change(np.array([1.0]), np.array([10**7]))[0])
    seen = np.abs(np.random.default_rng(2).normal(least, 1.0, 20_000)) > 1.96
    assert seen.mean() == pytest.approx(0.80, abs=0.01)


@pytest.mark.parametrize(
    ("change", "rows"), [(0.1, 100), (-0.05, 400), (0.2, 25), (0.0, None), (0.001, 1_000_000)]
)
def test_rows_that_detect_a_change(change: float, rows: int | None) -> None:
    assert rows_to_detect(100, 0.1, change) == rows


def test_where_nothing_is_detectable_no_number_of_rows_is_told() -> None:
    assert rows_to_detect(1, math.nan, 0.1) is None


def test_holm_by_hand() -> None:
    """Holm's own way: 4 × 0.01, 3 × 0.02, 2 × 0.03 (not below the one before), 1 × 0.04."""
    assert holm(np.array([0.04, 0.01, 0.03, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_unknown_p_values_do_not_count() -> None:
    found = holm(np.array([0.02, math.nan, 0.03]))
    assert found[[0, 2]] == pytest.approx([0.04, 0.04])
    assert np.isnan(found[1])


def test_it_is_stricter_than_the_false_discovery_rate() -> None:
    p = np.random.default_rng(4).uniform(0, 0.2, 30)
    assert (holm(p) >= false_discovery_control(p) - 1e-12).all()
