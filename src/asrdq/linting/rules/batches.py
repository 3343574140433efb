"""Rules about batches."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.config import Knob, Setting
from asrdq.linting.registry import GPUS, Found, rule
from asrdq.linting.rules.numbers import replaced
from asrdq.planning.arithmetic import accumulation_for, effective_batch
from asrdq.planning.findings import Level

_SAFE, _RISKY = 3.0, 5.0


@rule(
    "effective-batch-changed",
    Level.ERROR,
    reason="Learning rate, warm-up and steps belong to one effective batch; another number of GPUs "
    "with the same accumulation trains another model.",
    mend="accumulation × GPUs × batch as it was",
    helps=(GPUS,),
)
def effective_batch_changed(case: Case) -> Iterator[Found]:
    """Hold the effective batch against the one that was meant."""
    config = case.config
    if config.get(Knob.EFFECTIVE_BATCH) is not None:
        return  # accumulation follows from it
    now, meant, why = case.effective, case.effective_batch, "--effective-batch"
    if now is None:
        return
    if meant is None:
        before = _before(case)
        if before is None:
            return
        meant, why = before, f"{config.name} as it stands"
    if now != meant:
        size = config.number(Knob.BATCH_SIZE) or 1
        at = config.get(Knob.ACCUMULATION) or config.get(Knob.BATCH_SIZE)
        told = f"{size:g} clips × {case.accumulation:g} accumulation × {case.devices} GPUs"
        mend = _accumulation(meant, int(size), case.devices)
        yield Found(f"{told} = {now:g}, and {why} means {meant}", at, mend=mend)


def _before(case: Case) -> int | None:
    """Return the effective batch without overrides and without another machine."""
    config = case.config

    def said(knob: Knob) -> float | None:
        at = config.before.get(knob, config.settings.get(knob))
        value = at.value if at is not None else None
        return float(value) if isinstance(value, (int, float)) and value > 0 else None

    size, devices = said(Knob.BATCH_SIZE), said(Knob.DEVICES)
    if size is None or devices is None:
        return None
    gpus = int(devices * (said(Knob.NODES) or 1))
    return effective_batch(int(size), int(said(Knob.ACCUMULATION) or 1), gpus)


def _accumulation(meant: int, size: int, devices: int) -> str:
    """Return the accumulation for an effective batch; the nearest two where it does not divide."""
    found = accumulation_for(meant, size, devices)
    if found.divides:
        return f"accumulation {found.passes} keeps {meant}"
    told = " or ".join(f"{passes} makes {clips}" for passes, clips in found.nearest)
    return f"{meant} is no multiple of {size} clips × {devices} GPUs: accumulation {told}"


@rule(
    "validation-batch-too-large",
    Level.WARNING,
    reason="Validation needs no gradients, and three times the training batch is safe; five times "
    "runs out of memory at the first validation (an error then).",
    mend="at most three times the training batch",
)
def validation_batch_too_large(case: Case) -> Iterator[Found]:
    """Hold the validation batch against the training batch."""
    pairs = (
        (Knob.BATCH_DURATION, Knob.VAL_BATCH_DURATION),
        (Knob.BATCH_SIZE, Knob.VAL_BATCH_SIZE),
    )
    for train, validation in pairs:
        size, large = case.config.number(train), case.config.number(validation)
        at = case.config.get(validation)
        if not size or not large or at is None or large <= _SAFE * size:
            continue
        level = Level.ERROR if large >= _RISKY * size else None
        yield Found(f"{at.key}: {large / size:.1f} times the training batch", at, level=level)
        return


@rule(
    "batch-size-beside-duration",
    Level.WARNING,
    reason="With batch_duration set, batch_size is a second limit: batches stay smaller than what "
    "was meant, and the GPU is half empty.",
    mend="batch_size: null",
    fixes=True,
)
def batch_size_beside_duration(case: Case) -> Iterator[Found]:
    """Look for both kinds of limit in one data section."""
    for at in case.config.both_sizes:
        other = at.key.replace("batch_size", "batch_duration")
        yield Found(f"{at.key} {_said(at)} beside {other}", at, edit=replaced(at, "null"))


def _said(at: Setting) -> str:
    return f"{at.value:g}" if isinstance(at.value, (int, float)) else str(at.value)
