"""The figures that a recipe leaves to the data and the machine, as the plan works them out."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.errors import UsageError
from asrdq.handoff.providers import Machine
from asrdq.planning import parse_gpus, plan_training, read_hardware, read_prices
from asrdq.planning.cost import Stored, disk_of
from asrdq.planning.kept import Kept, count_kept
from asrdq.planning.steps import Steps, count_steps

if TYPE_CHECKING:
    from asrdq.handoff.asked import Asked
    from asrdq.recipes import Recipe

CONTAINER_GB = 40
"""What the image of a container and its layers take on a disk."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a configuration needs beyond its recipe.

    Attributes:
        kept: Rows and hours that the loader keeps, and what it drops by reason.
        devices: GPUs of each machine.
        nodes: Machines.
        gpu: Their GPU as `hardware.yaml` calls it; None where none was named.
        steps_per_epoch: Optimiser steps an epoch.
        steps: Steps of the run.
        max_steps: Steps that end the run; None where epochs end it.
        warmup_steps: Steps until the learning rate is reached.
        accumulation: Passes a step.
        val_check_interval: Passes between validations, or their share of the epoch.
        hours: Hours on the machine; None where nobody could say.
        usd: What the machine costs in that time; None where there is no price.
        disk_gb: Disk that it needs.
    """

    kept: Kept
    devices: int
    nodes: int
    gpu: str | None
    steps_per_epoch: int
    steps: int
    max_steps: int | None
    warmup_steps: int
    accumulation: int
    val_check_interval: int | float
    hours: float | None
    usd: float | None
    disk_gb: int

    @property
    def machine(self) -> str:
        """The machine in words."""
        gpus = f"{self.devices} × {self.gpu or 'GPU'}"
        return gpus if self.nodes == 1 else f"{self.nodes} machines of {gpus}"


def figures_of(asked: Asked) -> Figures:
    """Return the figures of a hand-off.

    Raises:
        UsageError: The GPUs are not known, or are not so many for each machine of the recipe.
        DataError: The loader would keep no row.
    """
    workspace, recipe = asked.workspace, asked.recipe.recipe
    hardware, nodes = read_hardware(workspace), recipe.trainer.nodes
    kept = count_kept(workspace, asked.train, recipe.data)
    if asked.gpus is None:
        count, gpu, hours, usd = recipe.trainer.devices * nodes, None, None, None
        steps = count_steps(recipe, count, kept)
        disk = disk_of(recipe, hardware, kept)
    else:
        gpus = parse_gpus(asked.gpus, hardware)
        plan = plan_training(workspace, asked.train, recipe, asked.gpus)
        count, gpu, hours, usd = gpus.count, gpus.name, plan.time.hours, plan.cost.usd
        steps, disk = plan.steps, plan.disk
    if count % nodes:
        raise UsageError(
            f"{count} GPUs are not the same number for each of {nodes} machines",
            hint="change --gpus, or trainer.nodes of the recipe",
        )
    return Figures(
        kept=kept,
        devices=count // nodes,
        nodes=nodes,
        gpu=gpu,
        steps_per_epoch=steps.steps_per_epoch,
        steps=steps.steps,
        max_steps=_max_steps(recipe, steps),
        warmup_steps=steps.warmup,
        accumulation=steps.accumulation,
        val_check_interval=_interval(recipe, steps),
        hours=hours,
        usd=usd,
        disk_gb=_disk(disk),
    )


def _max_steps(recipe: Recipe, steps: Steps) -> int | None:
    """Return the steps that end the run: an endless loader has no epochs that could."""
    endless = recipe.data.batch_duration_s is not None
    return steps.steps if endless or recipe.schedule.max_steps is not None else None


def _interval(recipe: Recipe, steps: Steps) -> int | float:
    """Return the interval as Lightning counts it: in passes, of which a step has several."""
    given = recipe.trainer.val_check_interval
    if recipe.data.batch_duration_s is None and not isinstance(given, int):
        return 1.0 / recipe.evaluation.per_epoch if given is None else given
    return steps.validation_interval * steps.accumulation


def _disk(stored: tuple[Stored, ...]) -> int:
    whole = CONTAINER_GB + sum(one.gb for one in stored)
    return 10 * math.ceil(whole / 10)


def machine_of(asked: Asked, figures: Figures, mounts: Sequence[tuple[str, str]]) -> Machine:
    """Return the machine to rent, with what each provider was seen to ask for it.

    The prices of `prices.yaml` are those of a provider where their name begins with its.
    """
    found: dict[str, tuple[float, dt.date]] = {}
    for name, item in read_prices(asked.workspace).machines.items():
        if item and (item.gpu, item.gpus) == (figures.gpu, figures.devices):
            found.setdefault(name.partition("-")[0], (item.usd_per_hour, item.entered))
    one_gb = 0.0
    if figures.gpu is not None:
        one_gb = read_hardware(asked.workspace).gpu(figures.gpu).memory_gb
    return Machine(
        gpu=figures.gpu,
        gpus=figures.devices,
        vram_gb=math.floor(one_gb * figures.devices),
        nodes=figures.nodes,
        disk_gb=figures.disk_gb,
        hours=figures.hours,
        mounts=mounts,
        prices=found,
    )
