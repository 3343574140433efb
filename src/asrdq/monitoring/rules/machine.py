"""Rules about the machine: what it waits for, and what it has left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from asrdq.monitoring.findings import Fired, evidence, rule
from asrdq.monitoring.names import (
    DATA_SHARE,
    GPU_MEMORY_GB,
    GPU_USE,
    SAMPLES_PER_SECOND,
    STEP_SECONDS,
    STEPS_PER_SECOND,
    SYSTEM,
    TRAIN,
)
from asrdq.monitoring.series import Curve, Curves, Floats

if TYPE_CHECKING:
    from asrdq.watch_settings import WatchSettings

_RECENT: Final = 20
"""Logged values whose median tells the present state: one slow step is none."""


@rule(
    "data_loading_bound",
    needs="the share of the time that is waited for data; or compute time per step, and steps per "
    "second or times of logging",
    reason="The GPU waits for data: what is paid for it in that time is lost.",
    advice="More loader workers, pinned memory, audio on a local disk, tar shards, decoded at "
    "the rate of the model.",
)
def data_loading_bound(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Compare the compute time of a step with its time on the clock."""
    waited = curves.get(TRAIN, DATA_SHARE)
    if waited is not None and len(waited.finite()):
        return _waited(waited.finite(), settings)
    compute = curves.get(TRAIN, STEP_SECONDS)
    wall = _wall_seconds(curves)
    if compute is None or wall is None or not len(compute.finite()):
        return None
    compute = compute.finite()
    share = _median(compute) / _median(wall)
    if share >= settings.compute_share_minimum:
        return []
    message = (
        f"a step computes for {_median(compute):.3g} s of {_median(wall):.3g} s on the clock: "
        f"the GPU is idle {100 * (1 - share):.0f} % of the time"
    )
    return [Fired(int(compute.steps[-1]), message, evidence(compute, -1) + evidence(wall, -1))]


def _waited(waited: Curve, settings: WatchSettings) -> list[Fired]:
    share = _median(waited)
    if 1 - share >= settings.compute_share_minimum:
        return []
    message = f"a step waits for data {100 * share:.0f} % of the time"
    return [Fired(int(waited.steps[-1]), message, evidence(waited, -1))]


def _wall_seconds(curves: Curves) -> Curve | None:
    """Return the seconds on the clock of a step, as a curve; None where nothing tells them."""
    speed = curves.get(TRAIN, STEPS_PER_SECOND)
    if speed is not None:
        moving = speed.where(np.isfinite(speed.values) & (speed.values > 0))
        if len(moving):
            return Curve(TRAIN, "wall_seconds", moving.steps, 1 / moving.values, *_rest(moving))
    timed = curves.get(TRAIN, STEP_SECONDS)
    if timed is None:
        return None
    timed = timed.where(np.isfinite(timed.times))
    seconds, steps = np.diff(timed.times), np.diff(timed.steps)
    forward = seconds > 0
    if not forward.any():
        return None
    later = timed.where(np.concatenate([[False], forward]))
    return Curve(
        TRAIN, "wall_seconds", later.steps, seconds[forward] / steps[forward], *_rest(later)
    )


def _rest(curve: Curve) -> tuple[Floats, Floats]:
    return curve.epochs, curve.times


@rule(
    "low_throughput",
    needs="training samples per second",
    reason="Fewer samples a second than this machine should do.",
    advice="Look for slow storage, short loader queues, another process on the GPU, or padding "
    "of long clips with short ones; what is normal is set by "
    "watch.samples_per_second_minimum.",
)
def low_throughput(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Compare the training throughput with the least that is expected."""
    speed = curves.get(TRAIN, SAMPLES_PER_SECOND)
    if speed is None or not len(speed.finite()):
        return None
    speed, least = speed.finite(), settings.samples_per_second_minimum
    if _median(speed) >= least:
        return []
    message = f"{_median(speed):.3g} samples a second, {least:g} are the least expected"
    return [Fired(int(speed.steps[-1]), message, evidence(speed, -1))]


@rule(
    "memory_high",
    needs="GPU memory",
    reason="Next to no memory is left: a longer clip ends the run.",
    advice="Halve the batch and double the accumulation, or bound the length of clips.",
)
def memory_high(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find the first GPU whose memory goes over the alarm."""
    memory = [c.finite() for c in curves.having(SYSTEM, GPU_MEMORY_GB)]
    percent = [_in_gb(c, settings) for c in curves.having(SYSTEM, "gpu_memory_percent")]
    curves_gb = [curve for curve in (*memory, *percent) if len(curve)]
    if not curves_gb:
        return None
    fired = []
    for curve in curves_gb:
        over = np.flatnonzero(curve.values > settings.memory_alarm_gb)
        if len(over):
            at = int(over[0])
            message = f"{curve.values[at]:.3g} of {settings.memory_gb:g} GB of GPU memory"
            fired.append(Fired(int(curve.steps[at]), message, evidence(curve, at)))
    return fired


def _in_gb(percent: Curve, settings: WatchSettings) -> Curve:
    own = percent.finite()
    values = own.values / 100 * settings.memory_gb
    return Curve(own.split, own.metric, own.steps, values, own.epochs, own.times)


@rule(
    "low_gpu_use",
    needs="GPU use",
    reason="The GPU is paid for and does not work.",
    advice="See data_loading_bound; a larger batch, or fewer or smaller GPUs.",
)
def low_gpu_use(curves: Curves, settings: WatchSettings) -> list[Fired] | None:
    """Find GPUs that have worked too little of late."""
    use = [c.finite() for c in curves.having(SYSTEM, GPU_USE)]
    use = [curve for curve in use if len(curve)]
    if not use:
        return None
    least = settings.gpu_use_minimum
    return [
        Fired(
            int(curve.steps[-1]),
            f"{curve.metric}: {100 * _median(curve):.0f} % of late, {100 * least:.0f} % are the "
            "least expected",
            evidence(curve, -1),
        )
        for curve in use
        if _median(curve) < least
    ]


def _median(curve: Curve) -> float:
    return float(np.median(curve.values[-_RECENT:]))
