"""Rules about values that no other rule can reckon with: not finite, or no number at all."""

from __future__ import annotations

import math
from dataclasses import replace

from asrdq.linting.config import Config, Fault, Knob, Setting, Unknown
from asrdq.linting.registry import reader_rule
from asrdq.linting.sources.tree import typed
from asrdq.planning.findings import Level

_NOT_FINITE, _NO_NUMBER = "non-finite-value", "text-for-a-number"
_LIMITS = frozenset({Knob.MAX_DURATION})
"""Where infinity means: without a limit."""
_NUMBERS = frozenset(
    {
        Knob.LEARNING_RATE,
        Knob.SCHEDULE_MAX_STEPS,
        Knob.WARMUP_STEPS,
        Knob.WARMUP_RATIO,
        Knob.MAX_STEPS,
        Knob.MAX_EPOCHS,
        Knob.GRADIENT_CLIP,
        Knob.ACCUMULATION,
        Knob.NODES,
        Knob.VAL_EVERY_EPOCHS,
        Knob.LOG_INTERVAL,
        Knob.BATCH_SIZE,
        Knob.BATCH_DURATION,
        Knob.VAL_BATCH_SIZE,
        Knob.VAL_BATCH_DURATION,
        Knob.MIN_DURATION,
        Knob.MAX_DURATION,
        Knob.EFFECTIVE_BATCH,
        Knob.MODEL_WIDTH,
    }
)
"""What is a number or nothing; `devices: auto` and validation intervals in hours are not."""

reader_rule(
    _NOT_FINITE,
    Level.ERROR,
    reason="A rate, a size or a number of steps that is NaN or infinite stops the job, or makes "
    "every weight NaN at the first step.",
    mend="a finite number, or null for what is not to be set",
)
reader_rule(
    _NO_NUMBER,
    Level.ERROR,
    reason="A word or a truth value where a number belongs stops the job when it is first used, "
    "after the model and the data were loaded.",
    mend="a number, or null for what is not to be set",
)


def without_unusable_values(config: Config) -> Config:
    """Return a configuration whose values that are no finite numbers are faults.

    To all other rules these values are open.
    """
    faults = {at.key: fault for knob, at in config.settings.items() if (fault := _fault(at, knob))}
    faults |= {at.key: fault for at in config.rates if (fault := _fault(at, Knob.LEARNING_RATE))}
    if not faults:
        return config

    def opened(at: Setting) -> Setting:
        return replace(at, value=Unknown("no finite number")) if at.key in faults else at

    return replace(
        config,
        settings={knob: opened(at) for knob, at in config.settings.items()},
        rates=tuple(opened(at) for at in config.rates),
        faults=(*config.faults, *faults.values()),
    )


def _fault(at: Setting, knob: Knob) -> Fault | None:
    value = at.value
    if isinstance(value, float) and not math.isfinite(value):
        if knob in _LIMITS and value == math.inf:
            return None
        return Fault(_NOT_FINITE, f"{at.key} is {value}", at)
    if knob in _NUMBERS and isinstance(typed(value), (str, bool)):
        return Fault(_NO_NUMBER, f"{at.key} is {value!r}", at)
    return None
