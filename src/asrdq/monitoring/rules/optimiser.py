"""Rules about gradients and learning rates."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from asrdq.monitoring.findings import Fired, evidence, rule
from asrdq.monitoring.names import GRAD_NORM, TRAIN
from asrdq.monitoring.series import Curve, Curves

if TYPE_CHECKING:
    from asrdq.watch_settings import WatchSettings

_IN_A_ROW: Final = 3
"""Logged learning rates that have to be equal before one is said to lie still."""
_SAME: Final = 1e-6
"""Relative difference below which two learning rates are the same."""


@rule(
    "gradient_unstable",
    needs="the gradient norm",
    reason="Gradient norms over the limit, or infinite, throw the weights about.",
    advice="Clip gradients at 1.0, lower the learning rate, lengthen the warm-up; look for clips "
    "whose text does not fit their audio.",
)
def gradient_unstable(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find the first gradient norms in a row that are too high."""
    norms = curves.get(TRAIN, GRAD_NORM)
    if norms is None or not len(norms):
        return None
    high = ~(norms.values <= settings.gradient_unstable)
    return _row_of_gradients(norms, high, f"over {settings.gradient_unstable:g}", settings)


@rule(
    "gradient_vanishing",
    needs="the gradient norm",
    reason="Gradient norms next to 0 move nothing: frozen layers, a dead loss, or fp16 underflow.",
    advice="Check which parameters are trained, and that the loss depends on them; leave fp16.",
)
def gradient_vanishing(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find the first gradient norms in a row that are too low."""
    norms = curves.get(TRAIN, GRAD_NORM)
    if norms is None or not len(norms):
        return None
    low = norms.values < settings.gradient_vanishing
    return _row_of_gradients(norms, low, f"under {settings.gradient_vanishing:g}", settings)


def _row_of_gradients(
    norms: Curve, wrong: npt.NDArray[np.bool_], how: str, settings: WatchSettings
) -> list[Fired]:
    length = settings.gradient_in_a_row
    start = first_run(wrong, length)
    if start is None:
        return []
    places = range(start, start + length)
    message = f"{length} gradient norms in a row {how} (healthy is 1 to 10)"
    return [Fired(int(norms.steps[places[-1]]), message, evidence(norms, *places))]


def first_run(wrong: npt.NDArray[np.bool_], length: int) -> int | None:
    """Return where the first `length` true values in a row begin.

    >>> first_run(np.array([True, False, True, True]), 2)
    2
    """
    if len(wrong) < length:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(wrong, length).all(axis=1)
    return int(np.argmax(windows)) if windows.any() else None


@rule(
    "learning_rate_zero",
    needs="the learning rate",
    reason="All learning rates are 0: the run costs money and learns nothing.",
    advice="Check the optimiser's parameter groups, the scheduler's steps and its warm-up.",
)
def learning_rate_zero(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find steps in a row at which every group has a learning rate of 0, before the end."""
    rates = [rate for rate in curves.rates if len(rate)]
    if not rates:
        return None
    steps = reduce(np.union1d, (rate.steps for rate in rates[1:]), rates[0].steps)
    zero = np.ones(len(steps), dtype=bool)
    for rate in rates:
        zero[np.searchsorted(steps, rate.steps)] &= rate.values == 0
    if curves.max_steps:
        zero &= steps < curves.max_steps * settings.learning_rate_floor_share
    start = first_run(zero, _IN_A_ROW)
    if start is None:
        return []
    end = int(steps[start + _IN_A_ROW - 1])
    seen = [item for rate in rates for item in evidence(rate, *np.flatnonzero(rate.steps == end))]
    message = f"all learning rates are 0 from step {steps[start]:,} to {end:,}"
    return [Fired(end, message, tuple(seen))]


@rule(
    "learning_rate_floor",
    needs="the learning rate, and how many steps the run is to have",
    reason="The learning rate lies at its minimum long before the end: scheduler and trainer "
    "were told different numbers of steps.",
    advice="Set the scheduler's max_steps to the trainer's (an interpolation keeps them equal).",
)
def learning_rate_floor(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find a learning rate that has come down to its minimum too early."""
    rates = [rate.finite() for rate in curves.rates]
    if not any(len(rate) for rate in rates) or not curves.max_steps:
        return None
    limit = settings.learning_rate_floor_share * curves.max_steps
    found = (_floor(rate, limit, curves.max_steps) for rate in rates)
    return [fired for fired in found if fired is not None][:1]


def _floor(rate: Curve, limit: float, maximum: int) -> Fired | None:
    if len(rate) < _IN_A_ROW:
        return None
    peak = int(np.argmax(rate.values))
    after = rate.values[peak:]
    low = float(after.min())
    if low <= 0 or low >= after[0] * (1 - _SAME):
        return None
    at_floor = np.abs(rate.values - low) <= _SAME * low
    at_floor[:peak] = False
    start = first_run(at_floor, _IN_A_ROW)
    if start is None or not at_floor[start:].all() or rate.steps[start] >= limit:
        return None
    message = (
        f"the {rate.metric} reached its minimum {low:.3g} at step {rate.steps[start]:,}, "
        f"{100 * rate.steps[start] / maximum:.0f} % of {maximum:,}"
    )
    told = int(rate.steps[start + _IN_A_ROW - 1])
    return Fired(told, message, evidence(rate, peak, start, start + _IN_A_ROW - 1))
