"""Slips of arithmetic: figures that a recipe states and that do not follow from its own values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from asrdq.planning.arithmetic import (
    effective_batch,
    scheduler_steps,
    steps_of_rows,
    steps_of_seconds,
)
from asrdq.planning.steps import passes
from asrdq.recipes.recipe import Recipe
from asrdq.recipes.stated import Stated

ROUGHLY = 0.10
"""How far measured times may be apart, as a share."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A figure that does not fit the others.

    Attributes:
        figure: Its key: one under `stated`, or `schedule.max_steps`.
        stated: What the recipe says.
        follows: What its other values make.
        how: The sum.
    """

    figure: str
    stated: float
    follows: float
    how: str

    def __str__(self) -> str:
        return f"states {_number(self.stated)}, but {self.how} makes {_number(self.follows)}"


def find_slips(recipe: Recipe) -> list[Slip]:
    """Return the stated figures of a recipe that its own values contradict.

    Counts have to be right exactly, epochs when rounded, times and speeds within 10 %, money to
    the cent. What cannot be computed for want of a figure is not judged.
    """
    stated = recipe.stated
    return [] if stated is None else list(_slips(recipe, stated))


def _slips(recipe: Recipe, stated: Stated) -> Iterator[Slip]:
    effective = None
    if stated.gpus and recipe.data.batch_size:
        accumulation, _ = passes(recipe, stated.gpus)
        effective = effective_batch(recipe.data.batch_size, accumulation, stated.gpus)
        how = f"{recipe.data.batch_size} × {accumulation} × {stated.gpus} GPUs"
        yield from _exact("effective_batch", stated.effective_batch, effective, how)
    per_epoch, how = _per_epoch(recipe, stated, effective)
    yield from _exact("steps_per_epoch", stated.steps_per_epoch, per_epoch, how)
    steps = recipe.schedule.max_steps
    how = "schedule.max_steps"
    if per_epoch and recipe.schedule.epochs:
        by_epochs = per_epoch * recipe.schedule.epochs
        if steps is None or by_epochs < steps:
            steps, how = by_epochs, f"{per_epoch:,} × {recipe.schedule.epochs} epochs"
        elif by_epochs > steps:
            sum_ = f"{per_epoch:,} × {recipe.schedule.epochs} epochs"
            yield Slip("schedule.max_steps", steps, by_epochs, sum_)
    yield from _exact("steps", stated.steps, steps, how)
    if recipe.schedule.epochs and stated.rows and effective:
        told = scheduler_steps(stated.rows, effective, recipe.schedule.epochs)
        if told == stated.scheduler_steps != steps:
            how += " (the other leaves the last, smaller batch of each epoch out)"
    yield from _exact("scheduler_steps", stated.scheduler_steps, steps, how)
    if stated.epochs and per_epoch and steps and abs(steps / per_epoch - stated.epochs) > 0.5:
        how = f"{steps:,} ÷ {per_epoch:,}"
        yield Slip("epochs", stated.epochs, steps / per_epoch, how)
    yield from _times(recipe, stated, steps, per_epoch)


def _per_epoch(recipe: Recipe, stated: Stated, effective: int | None) -> tuple[int | None, str]:
    if effective and stated.rows:
        return steps_of_rows(stated.rows, effective), f"ceil({stated.rows:,} ÷ {effective})"
    length = recipe.data.batch_duration_s
    if length and stated.hours and stated.gpus:
        length *= recipe.trainer.accumulation or 1
        how = f"{stated.hours * 3600:,.0f} s ÷ ({length:,g} s × {stated.gpus})"
        return steps_of_seconds(stated.hours, length, stated.gpus), how
    return None, ""


def _times(
    recipe: Recipe, stated: Stated, steps: int | None, per_epoch: int | None
) -> Iterator[Slip]:
    hours = stated.training_hours
    if hours and stated.clips_per_second and stated.rows and steps and per_epoch:
        clips = stated.rows * steps / per_epoch
        follows = clips / stated.clips_per_second / 3600
        if abs(follows - hours) > ROUGHLY * hours:
            how = f"{clips:,.0f} clips at {stated.clips_per_second:g} a second, in hours,"
            yield Slip("training_hours", hours, follows, how)
    if hours and stated.steps_per_second and steps:
        follows = steps / (hours * 3600)
        if abs(follows - stated.steps_per_second) > ROUGHLY * follows:
            how = f"{steps:,} steps in {hours:g} hours, a second,"
            yield Slip("steps_per_second", stated.steps_per_second, follows, how)
    if hours and stated.usd_per_hour and stated.usd:
        whole = hours + recipe.budget.evaluation_hours + recipe.budget.reserve_hours
        follows = stated.usd_per_hour * whole
        if abs(follows - stated.usd) >= 0.005:
            yield Slip("usd", stated.usd, follows, f"{whole:g} hours at {stated.usd_per_hour:g}")


def _exact(figure: str, stated: int | None, follows: int | None, how: str) -> Iterator[Slip]:
    if stated is not None and follows is not None and stated != follows:
        yield Slip(figure, stated, follows, how)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
