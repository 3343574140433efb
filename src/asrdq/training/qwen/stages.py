"""When which groups of parameters train, and how fast: everything follows from the step alone."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asrdq.recipes import Recipe

ALL: Final = "all"
"""The group of a recipe without stages: every parameter."""

_INVERSE_SQRT_SCALE: Final = 10_000


@dataclass(frozen=True, slots=True)
class StagePlan:
    """The stages of a run in optimiser steps.

    A switch moves no other number: the schedule goes on where it was, and an optimiser that has
    known all groups from the beginning keeps what it knows of them.

    Attributes:
        starts: The step before which each stage begins; the first is 0.
        rates: What trains in each stage: the learning rate of each group.
        notes: What the recipe says of each stage.
        total: Steps of the run.
        warmup: Steps until the learning rate is reached.
        schedule: Its name, as Hugging Face calls it.
        floor: The least learning rate after the warm-up.
    """

    starts: tuple[int, ...]
    rates: tuple[Mapping[str, float], ...]
    notes: tuple[str, ...]
    total: int
    warmup: int
    schedule: str
    floor: float = 0.0

    @classmethod
    def of(cls, recipe: Recipe, *, steps_per_epoch: int, total: int, warmup: int) -> StagePlan:
        """Return the plan of a recipe; epochs count from 1."""
        base = recipe.optimiser.lr
        stages = recipe.stages
        return cls(
            starts=tuple((stage.from_epoch - 1) * steps_per_epoch for stage in stages) or (0,),
            rates=tuple({name: s.lr.get(name, base) for name in s.train} for s in stages)
            or ({ALL: base},),
            notes=tuple(stage.note or "" for stage in stages) or ("",),
            total=total,
            warmup=warmup,
            schedule=recipe.schedule.name,
            floor=recipe.schedule.min_lr,
        )

    @property
    def groups(self) -> frozenset[str]:
        """The groups that ever train."""
        return frozenset().union(*self.rates)

    def stage(self, step: int) -> int:
        """Return the stage of the step that comes after `step` steps."""
        return bisect_right(self.starts, step) - 1

    def end(self, stage: int) -> int:
        """Return the step after which a stage ends."""
        return min([self.total, *self.starts[stage + 1 : stage + 2]])

    def rate(self, group: str, step: int) -> float:
        """Return the learning rate of a group after `step` steps; 0 while it rests."""
        peak = self.rates[self.stage(step)].get(group)
        if peak is None:
            return 0.0
        if step < self.warmup:
            return peak * step / self.warmup
        floor = min(self.floor, peak)
        return floor + (peak - floor) * self._shape(step)

    def _shape(self, step: int) -> float:
        """Return the share of the peak after the warm-up, as in `transformers.get_scheduler`."""
        if self.schedule == "constant_with_warmup":
            return 1.0
        if self.schedule == "inverse_sqrt":
            scale = self.warmup or _INVERSE_SQRT_SCALE
            return 1.0 / math.sqrt((step - self.warmup + scale) / scale)
        gone = min(1.0, (step - self.warmup) / max(1, self.total - self.warmup))
        if self.schedule == "linear":
            return 1.0 - gone
        return 0.5 * (1.0 + math.cos(math.pi * gone))
