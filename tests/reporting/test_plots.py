from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.reporting.plots import Scale, histogram, rate_scale, value_scale

UNIT = Scale(0.0, 1.0)


@pytest.mark.parametrize(
    ("value", "position"), [(0.1, "20%"), (0.25, "50%"), (-1.0, "0%"), (2.0, "100%")]
)
def test_positions_are_percent_of_the_axis(value: float, position: str) -> None:
    assert Scale(0.0, 0.5).at(value) == position


def test_what_lies_outside_has_no_length() -> None:
    assert Scale(0.0, 0.5).span(0.6, 0.9) == "0%"
    assert Scale(0.0, 0.5).span(0.4, 0.9) == "20%"


@pytest.mark.parametrize(
    ("largest", "high", "step"),
    [(0.18, 0.2, 0.05), (0.2, 0.25, 0.05), (0.05, 0.06, 0.02), (0.5, 0.6, 0.2), (1.0, 1.0, 0.25)],
)
def test_an_axis_of_rates_ends_at_the_next_round_tick(
    largest: float, high: float, step: float
) -> None:
    scale = rate_scale([0.01, largest])
    assert scale.high == pytest.approx(high)
    assert scale.ticks[1] == pytest.approx(step)


@given(st.floats(0.0, 1.0))
def test_every_rate_has_its_place_on_its_axis(rate: float) -> None:
    scale = rate_scale([rate])
    assert rate <= scale.high + 1e-9
    assert 2 <= len(scale.ticks) <= 7
    assert scale.ticks[-1] == pytest.approx(scale.high)


def test_bars_count_values_and_the_tallest_has_height_one() -> None:
    shape = histogram(np.array([0.0, 0.04, 0.5, 1.0, math.nan]), UNIT, 10)
    assert [(bar.low, bar.count, bar.height) for bar in shape.bars] == [
        (0.0, 2, 1.0),
        (0.5, 1, 0.5),
        (pytest.approx(0.9), 1, 0.5),
    ]
    assert shape.count == 4
    assert shape.quantiles["p50"] == pytest.approx(0.27)
    assert shape.quantiles["mean"] == pytest.approx(0.385)


def test_no_values_give_no_bars_and_no_quantiles() -> None:
    shape = histogram(np.array([math.nan]), UNIT, 10)
    assert (shape.bars, shape.count, shape.quantiles) == ((), 0, {})


@given(st.lists(st.floats(-2.0, 3.0) | st.just(math.nan), max_size=50))
def test_a_histogram_loses_no_value(values: list[float]) -> None:
    array = np.array(values, dtype=np.float64)
    shape = histogram(array, UNIT, 12)
    assert sum(bar.count for bar in shape.bars) == int(np.isfinite(array).sum()) == shape.count


def test_an_axis_of_values_is_round() -> None:
    scale = value_scale(np.array([1.7, 6.9]), whole=True)
    assert (scale.low, scale.high, scale.ticks) == (0.0, 8.0, (0.0, 2.0, 4.0, 6.0, 8.0))


def test_an_axis_of_equal_values_still_has_a_length() -> None:
    scale = value_scale(np.array([16.0, 16.0]))
    assert scale.low <= 16.0 < scale.high


def test_an_axis_without_values() -> None:
    assert value_scale(np.array([math.nan])).high == 1.0
