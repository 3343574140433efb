"""Curves of a training run as vector paths, thinned to what is seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from asrdq.monitoring.series import Curve, Curves
from asrdq.reporting.plots import Scale, value_scale

MOST_POINTS: Final = 400
FEW_POINTS: Final = 30
"""Up to so many points each has a dot."""
_PLOTS: Final = (
    ("Loss", (("train", "loss"), ("validation", "loss"))),
    ("Gradient norm", (("train", "grad_norm"),)),
    ("Samples a second", (("train", "samples_per_second"),)),
)
_TONES: Final = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Line:
    """One curve of a plot.

    Attributes:
        name: What it shows.
        tone: Its CSS class.
        path: Its path in a box of 1000 by 100, y downwards; a gap where values are no numbers.
        dots: Positions of its points in percent, of a curve with few of them.
        last: Its last value.
    """

    name: str
    tone: str
    path: str
    dots: tuple[tuple[str, str], ...]
    last: float


@dataclass(frozen=True)
class CurvePlot:
    """A plot of curves over the steps.

    Attributes:
        title: What it shows.
        steps: The axis of the steps.
        values: The axis of the values.
        lines: The curves.
        marks: Steps worth a line, with what happened there.
    """

    title: str
    steps: Scale
    values: Scale
    lines: tuple[Line, ...]
    marks: tuple[tuple[int, str], ...]


def curve_plots(
    curves: Curves, metric: str | None, marks: Sequence[tuple[int, str]]
) -> list[CurvePlot]:
    """Return the plots of a run: the reported metric first, then loss, optimiser and machine.

    Args:
        curves: The run.
        metric: The validation metric that it is judged by.
        marks: Steps worth a line, with what happened there.
    """
    chosen = [(title, [curves.get(*key) for key in keys]) for title, keys in _PLOTS]
    if metric and metric != "loss":
        chosen.insert(0, (metric.upper(), [curves.get("validation", metric)]))
    chosen.insert(2, ("Learning rate", list(curves.rates[: len(_TONES)])))
    chosen += [(curve.metric.replace("_", " "), [curve]) for curve in curves.gpu[:4]]
    plots = []
    for title, found in chosen:
        lines = [curve for curve in found if curve is not None and len(curve.finite()) > 1]
        if lines:
            plots.append(_plot(title, lines, curves.last_step, marks))
    return plots


def _plot(
    title: str, curves: Sequence[Curve], last: int, marks: Sequence[tuple[int, str]]
) -> CurvePlot:
    steps = Scale(0.0, float(max(last, 1)), (0.0, float(max(last, 1))))
    values = value_scale(np.concatenate([curve.finite().values for curve in curves]))
    lines = tuple(
        _line(curve, tone, steps, values) for curve, tone in zip(curves, _TONES, strict=False)
    )
    return CurvePlot(title, steps, values, lines, tuple(marks))


def _line(curve: Curve, tone: str, steps: Scale, values: Scale) -> Line:
    points = list(_thinned(curve))
    few = len(points) <= FEW_POINTS
    dots = [(steps.at(x), _from_top(y, values)) for x, y in points if np.isfinite(y) and few]
    return Line(
        curve.name, tone, _path(points, steps, values), tuple(dots), float(curve.values[-1])
    )


def _thinned(curve: Curve) -> Iterable[tuple[float, float]]:
    """Give at most `MOST_POINTS` points: means of neighbours, NaN where none is a number."""
    count = min(MOST_POINTS, len(curve))
    parts = zip(
        np.array_split(curve.steps, count), np.array_split(curve.values, count), strict=True
    )
    for steps, values in parts:
        finite = values[np.isfinite(values)]
        yield float(steps.mean()), float(finite.mean()) if len(finite) else float("nan")


def _path(points: Iterable[tuple[float, float]], steps: Scale, values: Scale) -> str:
    parts, pen = [], "M"
    for x, y in points:
        if not np.isfinite(y):
            pen = "M"
            continue
        across = 10 * float(steps.at(x).rstrip("%"))
        parts.append(f"{pen}{across:.4g} {_from_top(y, values).rstrip('%')}")
        pen = "L"
    return "".join(parts)


def _from_top(value: float, values: Scale) -> str:
    return f"{100 - float(values.at(value).rstrip('%')):.4g}%"
