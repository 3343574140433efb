"""What `asrdq train` is asked for, and the job that it makes of a bundle."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrdq.errors import UsageError
from asrdq.handoff.asked import FORMATS
from asrdq.training.job import TrainingJob

if TYPE_CHECKING:
    from asrdq.training.handed import HandedOff
    from asrdq.training.protocol import TrainingBackend

REHEARSAL_STEPS: Final = 4
REHEARSAL: Final = ".rehearsal"
WORLD_RULE: Final = "effective-batch-changed"
"""The rule of the lint that another number of GPUs breaks."""


@dataclass(frozen=True)
class TrainPlan:
    """A training that is asked for.

    Attributes:
        bundle: The bundle.
        backend: What trains; None: what it was handed to. A plug-in may train what was handed to
            another backend, in the format of that one.
        run_dir: Where everything goes that it makes; None: `ASRDQ_RUN_DIR`, else the name of the
            bundle with `.run`.
        device: `auto`, `cpu`, `cuda`, `cuda:1`.
        base: Another model to start from than that of the recipe.
        allow: Rules that are switched off.
        max_steps: Optimiser steps after which it ends, where the recipe has more.
        loader_tolerance: Share of the rows by which the loader may differ from the hand-off.
        bundle_id: What the id of the bundle has to be.
        name: Name of the run in the tables; None: that of its folder.
        rehearse: Train a tiny model for a few steps instead, to see that everything runs.
    """

    bundle: Path
    backend: str | None = None
    run_dir: Path | None = None
    device: str = "auto"
    base: str | None = None
    allow: frozenset[str] = frozenset()
    max_steps: int | None = None
    loader_tolerance: float = 0.0
    bundle_id: str | None = None
    name: str | None = None
    rehearse: bool = False


def rank_of(variable: str = "RANK", default: int = 0) -> int:
    """Return a number that torchrun has told this process.

    Raises:
        UsageError: It is none.
    """
    text = os.environ.get(variable, "")
    if text and not text.isdecimal():
        raise UsageError(f"{variable} is '{text}', which is no number", hint=f"unset {variable}")
    return int(text) if text else default


def make_job(plan: TrainPlan, handed: HandedOff) -> TrainingJob:
    """Return the job of a bundle.

    Raises:
        UsageError: It was handed to another backend, or a variable of the launcher is no number.
    """
    if plan.backend in FORMATS and plan.backend != handed.backend:
        raise UsageError(
            f"the bundle was handed to {handed.backend}, not to {plan.backend}",
            where=str(handed.folder),
            hint=f"--backend {handed.backend}, or hand off again",
        )
    figures = handed.figures
    if plan.max_steps is not None and plan.max_steps < figures.steps:
        figures = replace(figures, steps=plan.max_steps, max_steps=plan.max_steps)
    run_dir = _run_dir(plan, handed)
    train, validation = handed.expected()
    return TrainingJob(
        bundle=handed.folder,
        bundle_id=handed.bundle_id,
        backend=plan.backend or handed.backend,
        recipe=handed.recipe,
        figures=figures,
        train=handed.train_file,
        validation=handed.validation_file,
        expected_train=train,
        expected_validation=validation,
        run_dir=run_dir,
        device=plan.device,
        base=_base(plan, handed),
        name=plan.name or run_dir.name,
        manifest=handed.train.manifest,
        allowed=plan.allow,
        loader_tolerance=plan.loader_tolerance,
        rehearsal=plan.rehearse,
        rank=rank_of(),
    )


def _run_dir(plan: TrainPlan, handed: HandedOff) -> Path:
    said = plan.run_dir or os.environ.get("ASRDQ_RUN_DIR")
    folder = Path(said) if said else handed.folder.with_name(f"{handed.folder.name}.run")
    folder = folder.expanduser().resolve()
    if handed.folder == folder or handed.folder in folder.parents:
        raise UsageError(
            "a run writes nothing into its bundle", where=str(folder), hint="--run-dir elsewhere"
        )
    return folder.with_name(f"{folder.name}{REHEARSAL}") if plan.rehearse else folder


def _base(plan: TrainPlan, handed: HandedOff) -> str:
    if plan.base is None:
        return handed.recipe.model.base
    file = Path(plan.base).expanduser()
    return str(file.resolve()) if file.exists() else plan.base


def check_world(job: TrainingJob) -> str | None:
    """Hold the processes that there are against those of the recipe; a rehearsal is one.

    Returns:
        What is let pass, None where they agree.

    Raises:
        UsageError: They are others, and that was not switched off.
    """
    there, wanted = rank_of("WORLD_SIZE", 1), job.figures.devices * job.figures.nodes
    if job.rehearsal:
        if there > 1:
            raise UsageError("one process rehearses", hint="asrdq train BUNDLE --rehearse")
        return None
    if there == wanted:
        return None
    told = f"{there} processes train, and the recipe is for {wanted} GPUs: another effective batch"
    if WORLD_RULE not in job.allowed:
        raise UsageError(
            told,
            hint=f"bash {job.bundle}/launch/torchrun.sh, or --allow {WORLD_RULE}",
        )
    return told


def rehearsal_of(job: TrainingJob, backend: TrainingBackend) -> TrainingJob:
    """Return a job of a few steps that trains a tiny model on the same data, with a stand-in."""
    recipe = job.recipe
    trainer = recipe.trainer.model_copy(update={"log_every_n_steps": 1, "limit_val_batches": 2})
    figures = replace(
        job.figures,
        devices=1,
        nodes=1,
        steps=REHEARSAL_STEPS,
        max_steps=REHEARSAL_STEPS,
        warmup_steps=1,
        accumulation=1,
        val_check_interval=REHEARSAL_STEPS // 2,
    )
    small = replace(
        job,
        recipe=recipe.model_copy(update={"trainer": trainer, "loggers": ()}),
        figures=figures,
    )
    return replace(small, base=str(backend.stand_in(small, job.run_dir)))
