"""Steps of a run: batch, epoch, stages, validation, warm-up, for a number of GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from asrdq.planning.arithmetic import (
    Accumulation,
    accumulation_for,
    effective_batch,
    steps_of_rows,
    steps_of_seconds,
    validation_interval,
    warmup_for,
)
from asrdq.planning.findings import Finding, note, warning
from asrdq.planning.kept import Kept
from asrdq.recipes.recipe import Recipe

FINER = (10, 20)
"""How many times as often as validation a run should log."""
_FAR_TOO_FINE = 10
"""So many times more lines than that are worth a note: they cost time, and hide nothing."""
_MOST_EPOCHS = 1000


@dataclass(frozen=True, slots=True)
class Steps:
    """How a run goes through the data.

    Attributes:
        gpus: GPUs of all nodes.
        batch_size: Clips a GPU and pass; None where batches are counted in seconds.
        batch_duration_s: Seconds a GPU and pass; None where they are counted in clips.
        accumulation: Passes a step.
        accumulation_choices: Passes with the effective batch of each, where the target of the
            recipe does not divide; else none.
        clips_a_step: Clips of a step on all GPUs; a mean where batches are counted in seconds.
        seconds_a_step: Seconds of audio of a step; a mean where they are counted in clips.
        steps_per_epoch: Optimiser steps of an epoch.
        plain_steps_per_epoch: The same without counting long clips for more; differs from it
            only with `quadratic_duration_s`.
        steps: Steps of the run.
        epochs: Epochs of the run.
        stage_starts: The step after which each stage begins; the first is 0.
        warmup: Steps of warm-up.
        warmup_advised: Steps that suit the data.
        validation_interval: Steps between validations.
        validation_advised: Steps for as many validations an epoch as the recipe wants.
        validations: Validations of the run.
        log_every: Steps between log lines.
        log_advised: From and to which interval would give 10 to 20 lines a validation.
    """

    gpus: int
    batch_size: int | None
    batch_duration_s: float | None
    accumulation: int
    accumulation_choices: tuple[tuple[int, int], ...]
    clips_a_step: float
    seconds_a_step: float
    steps_per_epoch: int
    plain_steps_per_epoch: int
    steps: int
    epochs: float
    stage_starts: tuple[int, ...]
    warmup: int
    warmup_advised: int
    validation_interval: int
    validation_advised: int
    validations: int
    log_every: int
    log_advised: tuple[int, int]


def passes(recipe: Recipe, gpus: int) -> tuple[int, Accumulation | None]:
    """Return the passes a step, and how they follow from an effective batch, if they do."""
    trainer, batch = recipe.trainer, recipe.data.batch_size
    if trainer.accumulation is not None or trainer.effective_batch is None or batch is None:
        return trainer.accumulation or 1, None
    chosen = accumulation_for(trainer.effective_batch, batch, gpus)
    return chosen.passes, chosen


def count_steps(recipe: Recipe, gpus: int, kept: Kept) -> Steps:
    """Return the steps of a recipe on the data that its loader keeps."""
    data, trainer, schedule = recipe.data, recipe.trainer, recipe.schedule
    accumulation, chosen = passes(recipe, gpus)
    if data.batch_size is not None:
        size = effective_batch(data.batch_size, accumulation, gpus)
        per_epoch = plain = steps_of_rows(kept.rows, size)
        clips, seconds = float(size), size * kept.mean_s
    else:
        assert data.batch_duration_s is not None
        length = data.batch_duration_s * accumulation
        per_epoch = steps_of_seconds(kept.loaded_hours, length, gpus)
        plain = steps_of_seconds(kept.hours, length, gpus)
        clips, seconds = kept.rows / per_epoch, kept.hours * 3600 / per_epoch
    by_epochs = per_epoch * schedule.epochs if schedule.epochs else None
    steps = min(end for end in (by_epochs, schedule.max_steps) if end is not None)
    advised = validation_interval(per_epoch, recipe.evaluation.per_epoch)
    interval = _interval(trainer.val_check_interval, per_epoch, advised)
    warmup = warmup_for(kept.rows, kept.hours, steps)
    return Steps(
        gpus=gpus,
        batch_size=data.batch_size,
        batch_duration_s=data.batch_duration_s,
        accumulation=accumulation,
        accumulation_choices=() if chosen is None or chosen.divides else chosen.nearest,
        clips_a_step=clips,
        seconds_a_step=seconds,
        steps_per_epoch=per_epoch,
        plain_steps_per_epoch=plain,
        steps=steps,
        epochs=steps / per_epoch,
        stage_starts=tuple((stage.from_epoch - 1) * per_epoch for stage in recipe.stages),
        warmup=_warmup(recipe, steps, warmup),
        warmup_advised=warmup,
        validation_interval=interval,
        validation_advised=advised,
        validations=steps // interval,
        log_every=trainer.log_every_n_steps,
        log_advised=(max(1, interval // FINER[1]), max(1, interval // FINER[0])),
    )


def _interval(given: int | float | None, per_epoch: int, advised: int) -> int:
    if given is None:
        return advised
    return given if isinstance(given, int) else max(1, int(given * per_epoch))


def _warmup(recipe: Recipe, steps: int, advised: int) -> int:
    schedule = recipe.schedule
    if schedule.warmup_steps is not None:
        return schedule.warmup_steps
    if schedule.warmup_share is not None:
        return -int(-schedule.warmup_share * steps // 1)
    return advised


def step_findings(recipe: Recipe, steps: Steps) -> Iterator[Finding]:
    """Give what should be known of the steps."""
    yield from _batch_findings(recipe, steps)
    schedule = recipe.schedule
    if steps.plain_steps_per_epoch != steps.steps_per_epoch:
        yield note(
            "data.quadratic_duration_s",
            f"long clips count for more: an epoch is {steps.steps_per_epoch:,} steps, where hours "
            f"alone give {steps.plain_steps_per_epoch:,}",
        )
    if schedule.epochs and schedule.max_steps and steps.steps == schedule.max_steps:
        wanted = schedule.epochs * steps.steps_per_epoch
        if wanted > steps.steps:
            yield warning(
                "schedule.max_steps",
                f"{schedule.max_steps:,} steps are {steps.epochs:.2f} epochs; {schedule.epochs} "
                f"epochs are {wanted:,} steps",
            )
    if steps.epochs > _MOST_EPOCHS:
        yield warning(
            "schedule",
            f"{steps.steps:,} steps are {steps.epochs:,.0f} epochs of {steps.steps_per_epoch:,} "
            "steps; a model learns its clips by heart long before",
        )
    yield from _log_findings(steps)
    if steps.warmup > steps.steps * 0.10 + 1:
        yield warning(
            "schedule.warmup_steps",
            f"{steps.warmup:,} of {steps.steps:,} steps warm up, more than 10 %; "
            f"{steps.warmup_advised:,} suit this data",
        )
    elif steps.warmup < steps.warmup_advised / 10:
        yield note(
            "schedule.warmup_steps",
            f"{steps.warmup:,} steps of warm-up are few; {steps.warmup_advised:,} suit this data",
        )
    if not steps.validations:
        yield warning(
            "trainer.val_check_interval",
            f"validation never runs: the run ends after {steps.steps:,} steps, and it is due "
            f"every {steps.validation_interval:,}; {steps.validation_advised:,} would do",
        )
    late = [start for start in steps.stage_starts if start >= steps.steps]
    if late:
        yield warning(
            "stages", f"a stage begins after step {late[0]:,}, and the run has {steps.steps:,}"
        )


def _log_findings(steps: Steps) -> Iterator[Finding]:
    low, high = steps.log_advised
    if steps.log_every > high or steps.log_every * _FAR_TOO_FINE < low:
        lines = steps.validation_interval / steps.log_every
        yield note(
            "trainer.log_every_n_steps",
            f"every {steps.log_every:,} steps makes {lines:,.3g} lines from one validation to the "
            f"next; {low:,} to {high:,} make 10 to 20",
        )


def _batch_findings(recipe: Recipe, steps: Steps) -> Iterator[Finding]:
    trainer, size = recipe.trainer, recipe.data.batch_size
    if steps.accumulation_choices:
        choices = " or ".join(f"{n} ({clips} clips)" for n, clips in steps.accumulation_choices)
        yield warning(
            "trainer.effective_batch",
            f"{trainer.effective_batch} is no multiple of {size} clips × {steps.gpus} GPUs; "
            f"accumulation {choices}, and {steps.accumulation} is planned with",
        )
    made = effective_batch(size or 0, steps.accumulation, steps.gpus)
    if size and trainer.accumulation and trainer.effective_batch not in (None, made):
        yield warning(
            "trainer.accumulation",
            f"{size} × {steps.accumulation} × {steps.gpus} GPUs = {made} clips a step, not the "
            f"{trainer.effective_batch} of trainer.effective_batch",
        )
    meant = trainer.devices * trainer.nodes
    if meant != steps.gpus and trainer.effective_batch is None:
        yield note(
            "trainer.devices",
            f"the recipe is for {meant} GPUs and a step has {steps.gpus / meant:g} times its "
            "size now; learning rate and warm-up were chosen for that one",
        )
