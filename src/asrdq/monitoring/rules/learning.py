"""Rules about what the model learns: loss and error rates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from asrdq.monitoring.findings import Fired, Level, evidence, rule
from asrdq.monitoring.names import LOSS, TRAIN, VALIDATION
from asrdq.monitoring.series import Curve, Curves

if TYPE_CHECKING:
    from asrdq.watch_settings import UnfreezeSettings, WatchSettings

_BEFORE_UNFREEZE: Final = 10
"""Logged losses whose median is the loss before an unfreeze."""


@rule(
    "non_finite_loss",
    needs="a loss",
    reason="The loss is NaN or infinite: every weight it reaches is lost.",
    advice="Stop. Go back to the last checkpoint before it, look at the batch (empty or overlong "
    "transcripts), leave fp16 for bf16, lower the learning rate, clip gradients.",
)
def non_finite_loss(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find the first loss, of training or validation, that is no number."""
    losses = [c for c in (curves.get(TRAIN, LOSS), curves.get(VALIDATION, LOSS)) if c and len(c)]
    if not losses:
        return None
    fired = []
    for curve in losses:
        lost = np.flatnonzero(~np.isfinite(curve.values))
        if len(lost):
            at = int(lost[0])
            value = curve.values[at]
            message = f"the {curve.name} is {value:g} at step {curve.steps[at]:,}"
            fired.append(Fired(int(curve.steps[at]), message, evidence(curve, at)))
    return fired


@rule(
    "overfit",
    needs="a validation metric and the training loss",
    reason="Validation gets worse while the training loss goes on falling: the model memorises.",
    advice="Deploy the best checkpoint, not the last; stop here, or resume from the best with "
    "fewer epochs, a lower learning rate, more augmentation or more data.",
)
def overfit(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find rising validation over some evaluations after the best, the training loss not rising."""
    judged, loss = curves.judged(settings.metric), curves.get(TRAIN, LOSS)
    if judged is None or loss is None:
        return None
    judged, loss = judged.finite(), loss.finite()
    best, span = judged.best(), settings.overfit_evaluations - 1
    if best is None:
        return []
    for at in range(best + span, len(judged)):
        rises = np.diff(judged.values[at - span : at + 1])
        if (rises > 0).all() and _does_not_rise(loss, judged, at - span, at):
            seen = list(range(at - span, at + 1))
            listed = ", ".join(f"{judged.values[place]:.4g}" for place in seen)
            message = (
                f"{judged.name} rose over {len(seen)} evaluations ({listed}) while the training "
                f"loss did not; the best is {judged.values[best]:.4g} at step "
                f"{judged.steps[best]:,}"
            )
            return [Fired(int(judged.steps[at]), message, evidence(judged, best, *seen))]
    return []


def _does_not_rise(loss: Curve, judged: Curve, first: int, last: int) -> bool:
    before, after = (_loss_before(loss, judged, place) for place in (first, last))
    return before is not None and after is not None and after <= before


def _loss_before(loss: Curve, judged: Curve, place: int) -> float | None:
    """Return the mean training loss between an evaluation and the one before it."""
    start = judged.steps[place - 1] if place else -1
    end = judged.steps[place]
    between = loss.values[(loss.steps > start) & (loss.steps <= end)]
    if len(between):
        return float(between.mean())
    until = loss.values[loss.steps <= end]
    return float(until[-1]) if len(until) else None


@rule(
    "plateau",
    needs="a validation metric, or epochs",
    reason="More steps have stopped to pay.",
    advice="Stop and take the best checkpoint; what helps now is other data or another recipe, "
    "not more epochs.",
)
def plateau(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find a metric without improvement for the patience, or more epochs than pay."""
    judged = curves.judged(settings.metric)
    if judged is None and curves.last_epoch is None:
        return None
    fired = []
    best = judged.best() if judged is not None else None
    if judged is not None and best is not None and len(judged) > best + settings.patience:
        at = best + settings.patience
        message = (
            f"{judged.name} has not improved for {settings.patience} evaluations, since "
            f"{judged.values[best]:.4g} at step {judged.steps[best]:,}"
        )
        fired.append(Fired(int(judged.steps[at]), message, evidence(judged, best, at)))
    return fired + _too_many_epochs(curves, settings.maximum_epochs)


def _too_many_epochs(curves: Curves, most: float) -> list[Fired]:
    beyond = [c for c in curves.by_name.values() if (c.epochs > most).any()]
    if not beyond:
        return []
    places = [(int(c.steps[c.epochs > most][0]), c) for c in beyond]
    step, curve = min(places, key=lambda item: item[0])
    at = int(np.flatnonzero(curve.epochs > most)[0])
    message = f"epoch {curve.epochs[at]:.4g} at step {step:,}: past {most:g} epochs"
    return [Fired(step, message, evidence(curve, at))]


@rule(
    "loss_and_rate_disagree",
    needs="validation loss and a validation error rate",
    reason="The loss gets worse while the error rate still improves: the model is too sure of "
    "itself, which a choice by loss would punish too early.",
    advice="Choose checkpoints by the rate that is reported, not by loss.",
)
def loss_and_rate_disagree(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find a validation loss that rises over evaluations in which the rate improves."""
    judged, loss = curves.judged(settings.metric), curves.get(VALIDATION, LOSS)
    if judged is None or loss is None or judged.metric == LOSS:
        return None
    rates = dict(zip(judged.steps.tolist(), judged.values.tolist(), strict=True))
    known = [math.isfinite(rates.get(step, math.nan)) for step in loss.steps.tolist()]
    both = np.flatnonzero(known).tolist()
    span = settings.overfit_evaluations
    for last in range(span, len(both) + 1):
        seen = both[last - span : last]
        losses = loss.values[seen]
        first_rate, last_rate = (rates[int(loss.steps[at])] for at in (seen[0], seen[-1]))
        if (np.diff(losses) > 0).all() and last_rate < first_rate:
            message = (
                f"validation loss rose over {span} evaluations ({losses[0]:.4g} to "
                f"{losses[-1]:.4g}) while {judged.metric} fell ({first_rate:.4g} to "
                f"{last_rate:.4g})"
            )
            return [Fired(int(loss.steps[seen[-1]]), message, evidence(loss, *seen), Level.NOTE)]
    return []


@rule(
    "unfreeze_spike",
    needs="the training loss, and the step at which layers were unfrozen",
    reason="After an unfreeze the loss jumps and comes back; one that does not has lost what the "
    "frozen layers knew.",
    advice="Go back to the checkpoint before the unfreeze; give the new layers a tenth of the "
    "learning rate, with a warm-up of their own.",
)
def unfreeze_spike(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find unfreezes after which the loss goes too high, or does not come back in time."""
    loss = curves.get(TRAIN, LOSS)
    unfreezes = sorted({*curves.unfreezes, *_new_rates(curves)})
    if loss is None or not unfreezes:
        return None
    loss = loss.finite()
    found = (_after(loss, step, settings.unfreeze) for step in unfreezes)
    return [fired for fired in found if fired is not None]


def _new_rates(curves: Curves) -> list[int]:
    """Return the steps at which a learning rate of a group left 0, for groups that began at 0."""
    steps = []
    for rate in curves.rates:
        used = np.flatnonzero(rate.values > 0)
        others = [c for c in curves.rates if c is not rate]
        if (
            len(used)
            and used[0] > 0
            and any((c.values[c.steps < rate.steps[used[0]]] > 0).any() for c in others)
        ):
            steps.append(int(rate.steps[used[0]]))
    return steps


def _after(loss: Curve, step: int, limits: UnfreezeSettings) -> Fired | None:
    before = loss.values[loss.steps < step][-_BEFORE_UNFREEZE:]
    places = np.flatnonzero((loss.steps >= step) & (loss.steps <= step + limits.abnormal_steps))
    if not len(before) or not len(places):
        return None
    level = float(np.median(before))
    peak, back, abnormal, scale = _limits(level, limits)
    values = loss.values[places]
    risen = int(np.argmax(values > back))  # 0 where it never rose
    returned = risen + np.flatnonzero(values[risen:] <= back)
    told = f"after the unfreeze at step {step:,} (loss {level:.3g} before, {scale})"
    if (values > abnormal).any():
        at = int(places[np.argmax(values > abnormal)])
        message = f"loss {loss.values[at]:.3g} is over {abnormal:.3g} {told}"
        return Fired(int(loss.steps[at]), message, evidence(loss, at))
    passed = loss.steps[-1] >= step + limits.abnormal_steps
    if not len(returned):
        if not passed:
            return None
        at = int(places[-1])
        message = f"loss is not back under {back:.3g} within {limits.abnormal_steps} steps {told}"
        return Fired(step + limits.abnormal_steps, message, evidence(loss, at))
    highest, first = int(places[np.argmax(values)]), int(places[returned[0]])
    late = loss.steps[first] > step + limits.expected_steps
    if not late and loss.values[highest] <= peak:
        return None
    message = (
        f"loss went to {loss.values[highest]:.3g} and was back under {back:.3g} after "
        f"{int(loss.steps[first]) - step} steps {told}: more than expected, not abnormal"
    )
    return Fired(int(loss.steps[first]), message, evidence(loss, highest, first), Level.NOTE)


def _limits(level: float, own: UnfreezeSettings) -> tuple[float, float, float, str]:
    """Return the limits of peak, return and abnormal loss, and what they rest on."""
    fits = own.scale_low <= level <= own.back
    if own.scale == "absolute" or (own.scale == "auto" and fits):
        return own.peak, own.back, own.abnormal, "absolute limits"
    ratios = (own.peak_ratio, own.back_ratio, own.abnormal_ratio)
    peak, back, abnormal = (ratio * level for ratio in ratios)
    return peak, back, abnormal, "limits as ratios to it"
