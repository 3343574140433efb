"""Changes between rounds on an axis around 0."""

from __future__ import annotations

import math

import pytest

from asrdq.reporting.deltas import DeltaRow, delta_plot
from asrdq.reporting.templating import fill


def test_the_axis_reaches_as_far_on_both_sides() -> None:
    plot = delta_plot([DeltaRow("a", -0.06, -0.09, -0.03), DeltaRow("b", 0.01, -0.02, 0.04)])
    assert (plot.scale.low, plot.scale.high) == pytest.approx((-0.1, 0.1))
    assert plot.scale.ticks == pytest.approx((-0.1, -0.05, 0.0, 0.05, 0.1))
    assert plot.scale.at(0.0) == "50%"


@pytest.mark.parametrize(
    ("row", "tone"),
    [
        (DeltaRow("x", -0.1, -0.2, -0.01), "ok"),
        (DeltaRow("x", 0.1, 0.01, 0.2), "stop"),
        (DeltaRow("x", -0.1, -0.2, 0.0), "accent"),
        (DeltaRow("x", 0.1, 0.0, 0.2), "accent"),
        (DeltaRow("x", -0.1, math.nan, math.nan), "accent"),
    ],
)
def test_tones(row: DeltaRow, tone: str) -> None:
    assert row.tone == tone


@pytest.mark.parametrize("rows", [[], [DeltaRow("x", 0.0, 0.0, 0.0)]])
def test_nothing_changed(rows: list[DeltaRow]) -> None:
    scale = delta_plot(rows).scale
    assert scale.low < 0 < scale.high
    assert scale.at(0.0) == "50%"


def test_an_interval_that_is_not_known_does_not_stretch_the_axis() -> None:
    plot = delta_plot([DeltaRow("a", 0.1, math.nan, math.inf), DeltaRow("b", 0.2, 0.1, 0.3)])
    assert plot.scale.high == pytest.approx(0.4)


def test_a_very_wide_interval_ends_in_arrows() -> None:
    plot = delta_plot([DeltaRow("tiny", -0.1, -1.8, 1.5), DeltaRow("large", -0.2, -0.25, -0.15)])
    assert plot.scale.high == pytest.approx(0.5)  # 2.5 × 0.2
    html = fill("changes.html.j2", {"plot": plot, "title": "x"})
    assert html.count("◂") == html.count("▸") == 1
    only = delta_plot([DeltaRow("x", 0.0, -0.3, 0.3)])
    assert only.scale.high >= 0.3


def test_it_is_drawn_with_a_line_at_zero() -> None:
    plot = delta_plot([DeltaRow("a <b>", -0.06, -0.09, -0.03), DeltaRow("c", 0.1, math.nan, 0)])
    html = fill("changes.html.j2", {"plot": plot, "title": "By accent"})
    assert "a &lt;b&gt;" in html
    assert "−6.0" in html
    assert "better" in html
    assert html.count('class="zero"') == 2
    assert html.count('class="whisker"') == 3  # only one of them has an interval
    assert "no interval" in html
