"""Differences of independent rates, by hand and as Newcombe published them."""

from __future__ import annotations

from typing import Any

import pytest

from asrdq.leaderboard.differences import independent_difference
from asrdq.sampling.estimators import wilson


def share(entry: Any, hits: int, trials: int) -> Any:
    found = wilson(hits, trials, 0.95)
    return entry("x", hits / trials, found.low, found.high, rows=trials)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),  # Newcombe (1998), table II, method 10
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_published_examples(
    entry: Any, first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = independent_difference(share(entry, *first), share(entry, *second))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_limits_are_distances_added_as_squares(entry: Any) -> None:
    found = independent_difference(entry("a", 0.5, 0.42, 0.6), entry("b", 0.2, 0.14, 0.26))
    assert found is not None
    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - 0.1)  # √(0.08² + 0.06²)
    assert found.high == pytest.approx(0.3 + (0.1**2 + 0.06**2) ** 0.5)
    assert found.excludes_zero


def test_it_does_not_exclude_zero_on_the_limit(entry: Any) -> None:
    found = independent_difference(entry("a", 0.3, 0.2, 0.4), entry("b", 0.2, 0.2, 0.2))
    assert found is not None
    assert found.low == pytest.approx(0.0)
    wider = independent_difference(entry("a", 0.3, 0.1, 0.4), entry("b", 0.2, 0.2, 0.2))
    assert wider is not None
    assert not wider.excludes_zero


def test_without_a_rate_or_an_interval(entry: Any) -> None:
    known = entry("a", 0.3, 0.2, 0.4)
    assert independent_difference(known, entry("b", None)) is None
    bare = entry("b", 0.1, 0.1, 0.1).__class__("b", "ker", 0.1, None, None, 1, 1, "none", 1, "x")
    found = independent_difference(known, bare)
    assert found is not None
    assert (found.value, found.low, found.high) == (pytest.approx(0.2), None, None)
    assert not found.excludes_zero
