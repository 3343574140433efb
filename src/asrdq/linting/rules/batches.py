"""Rules about batches."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.config import Config, Knob
from asrdq.linting.registry import GPUS, Found, rule
from asrdq.linting.rules.numbers import replaced
from asrdq.planning.arithmetic import accumulation_for, effective_batch
from asrdq.planning.findings import Level

_SAFE, _RISKY = 3.0, 5.0


@rule(
    "count-below-one",
    Level.ERROR,
    reason="A batch of no clip, or a step of no batch, stops the job where it begins.",
    mend="a whole number from 1 on",
)
def count_below_one(case: Case) -> Iterator[Found]:
    """Look for sizes of batches and numbers of them that are below 1."""
    for knob in (Knob.ACCUMULATION, Knob.BATCH_SIZE, Knob.VAL_BATCH_SIZE):
        at, value = case.config.get(knob), case.config.number(knob)
        if at is not None and value is not None and value < 1:
            yield Found(f"{at.key} is {value:g}", at)


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
    in_seconds = config.number(Knob.BATCH_DURATION) is not None
    knob = Knob.BATCH_DURATION if in_seconds else Knob.BATCH_SIZE
    at, size, meant = config.get(knob), config.number(knob), case.effective_batch
    if at is None or size is None or case.devices is None or (in_seconds and meant is not None):
        return
    why = "--effective-batch says"
    if meant is None:
        devices = _devices_before(config)
        if devices is None or devices == case.devices:
            return
        meant, why = _before(config, knob, devices), f"on {devices} it is"
    now = effective_batch(int(size), case.accumulation, case.devices)
    if meant is not None and now != meant:
        unit = "s" if in_seconds else "clips"
        told = f"{size:g} {unit} × {case.accumulation} accumulation × {case.devices} GPUs"
        mend = _accumulation(meant, int(size), case.devices)
        where = config.get(Knob.ACCUMULATION) or at
        yield Found(f"{told} = {now}; {why} {meant}", where, mend=mend)


def _said(config: Config, knob: Knob) -> int | None:
    """Return a number as the file has it, without overrides; None where it has none."""
    at = config.before.get(knob, config.settings.get(knob))
    value = at.value if at is not None else None
    return int(value) if isinstance(value, (int, float)) and value > 0 else None


def _devices_before(config: Config) -> int | None:
    """Return the GPUs that the file itself is for; None where it does not say."""
    devices = _said(config, Knob.DEVICES)
    return None if devices is None else devices * (_said(config, Knob.NODES) or 1)


def _before(config: Config, knob: Knob, devices: int) -> int | None:
    """Return the effective batch of the file itself."""
    size = _said(config, knob)
    accumulation = _said(config, Knob.ACCUMULATION) or 1
    return None if size is None else effective_batch(size, accumulation, devices)


def _accumulation(meant: int, size: int, devices: int) -> str:
    """Return the accumulation for an effective batch; the nearest two where it does not divide."""
    found = accumulation_for(meant, size, devices)
    if found.divides:
        return f"accumulation {found.passes} keeps {meant}"
    told = " or ".join(f"{passes} makes {batch}" for passes, batch in found.nearest)
    return f"{meant} is no multiple of {size} × {devices} GPUs: accumulation {told}"


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
        yield Found(f"{at.key} {at.value} beside {other}", at, edit=replaced(at, "null"))
