"""The rule about values that are not finite, which no other rule can reckon with."""

from __future__ import annotations

import math
from dataclasses import replace

from asrdq.linting.config import Config, Fault, Knob, Setting, Unknown
from asrdq.linting.registry import reader_rule
from asrdq.planning.findings import Level

_RULE = "non-finite-value"
_LIMITS = frozenset({Knob.MAX_DURATION})
"""Where infinity means: without a limit."""

reader_rule(
    _RULE,
    Level.ERROR,
    reason="A rate, a size or a number of steps that is NaN or infinite stops the job, or makes "
    "every weight NaN at the first step.",
    mend="a finite number, or null for what is not to be set",
)


def without_non_finite(config: Config) -> Config:
    """Return a configuration whose NaN and infinite values are faults, and open to other rules."""
    bad = {at.key: at for knob, at in config.settings.items() if _is_bad(at, knob)}
    bad |= {at.key: at for at in config.rates if _is_bad(at)}
    if not bad:
        return config
    faults = [Fault(_RULE, f"{at.key} is {at.value}", at) for at in bad.values()]
    return replace(
        config,
        settings={
            knob: _opened(at) if _is_bad(at, knob) else at for knob, at in config.settings.items()
        },
        rates=tuple(_opened(at) if _is_bad(at) else at for at in config.rates),
        faults=(*config.faults, *faults),
    )


def _is_bad(at: Setting, knob: Knob | None = None) -> bool:
    if not isinstance(at.value, float) or math.isfinite(at.value):
        return False
    return knob not in _LIMITS or at.value != math.inf


def _opened(at: Setting) -> Setting:
    return replace(at, value=Unknown("not finite"))
