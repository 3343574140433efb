"""The figures that a recipe leaves to the data and the machine, as the plan works them out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """What a configuration needs beyond its recipe.

    Attributes:
        steps_per_epoch: Optimiser steps an epoch.
        max_steps: Steps of the run; None where epochs end it.
        warmup_steps: Steps until the learning rate is reached.
        accumulation: Passes a step.
        val_check_interval: Passes, or a share of the epoch, between validations.
        hours: Hours of the run; None where nobody could say.
        usd: What the machine costs in that time; None where there is no price.
        machine: The machine it is planned for, in words.
    """

    steps_per_epoch: int
    max_steps: int | None
    warmup_steps: int
    accumulation: int
    val_check_interval: int | float
    hours: float | None = None
    usd: float | None = None
    machine: str = ""
