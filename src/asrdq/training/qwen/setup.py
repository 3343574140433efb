"""What a run needs before its first step: rows, shares, stages, and how often things happen."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq import console
from asrdq.training.qwen.batches import EpochBatches, Sharing
from asrdq.training.qwen.checkpoints import RunState
from asrdq.training.qwen.evaluation import held_out
from asrdq.training.qwen.rows import Row, Rows, read_rows
from asrdq.training.qwen.stages import StagePlan

if TYPE_CHECKING:
    from asrdq.models.qwen import Qwen
    from asrdq.training.job import TrainingJob
    from asrdq.training.qwen.dataset import EpochLoader
    from asrdq.training.qwen.groups import Member
    from asrdq.training.run_writer import RunWriter


@dataclass(frozen=True)
class Setup:
    """A run before its first step.

    Attributes:
        job: What was handed off.
        train: Its rows.
        validation: Those that are held out, all of them.
        judged: The clips that every evaluation transcribes.
        sharing: How steps are shared by GPUs and passes.
        plan: Stages and learning rates.
        evaluate_every: Steps between evaluations.
        save_every: Steps between checkpoints.
    """

    job: TrainingJob
    train: Rows
    validation: Rows
    judged: tuple[Row, ...]
    sharing: Sharing
    plan: StagePlan
    evaluate_every: int
    save_every: int

    @classmethod
    def of(cls, job: TrainingJob) -> Setup:
        """Read the manifests of a job and work out its steps.

        The effective batch is that of the hand-off: with another number of GPUs the same clips
        make a step, in more or fewer passes.

        Raises:
            DataError: A manifest cannot be read.
            UsageError: A step has fewer clips than there are GPUs.
        """
        recipe, figures = job.recipe, job.figures
        train = read_rows(job.train, recipe.data)
        domain = recipe.evaluation.domain_column
        validation = read_rows(job.validation, recipe.data, domain=domain, filtered=False)
        assert recipe.data.batch_size is not None
        devices = figures.devices * figures.nodes
        world = int(os.environ.get("WORLD_SIZE", "1"))
        sharing = Sharing(
            recipe.data.batch_size * figures.accumulation * devices,
            recipe.data.batch_size,
            world,
            job.rank,
        )
        if world != devices:
            console.say(
                f"{world} processes instead of {devices}: the same {sharing.effective} clips a "
                f"step, in {sharing.passes} passes of at most {sharing.batch} × {world}"
            )
        per_epoch = math.ceil(train.counts.rows / sharing.effective)
        every = _interval(job, per_epoch)
        chosen = held_out(validation.kept, recipe.evaluation.per_domain_clips, recipe.trainer.seed)
        return cls(
            job=job,
            train=train,
            validation=validation,
            judged=tuple(chosen[: _most(job, len(chosen))]),
            sharing=sharing,
            plan=StagePlan.of(
                recipe,
                steps_per_epoch=per_epoch,
                total=figures.steps,
                warmup=figures.warmup_steps,
            ),
            evaluate_every=every,
            save_every=recipe.checkpoints.every_n_steps or every,
        )

    @property
    def batches(self) -> EpochBatches:
        """The passes of this process."""
        recipe = self.job.recipe
        return EpochBatches(
            self.train.kept,
            self.sharing,
            seed=recipe.trainer.seed,
            buckets=recipe.data.buckets,
            temperature=recipe.data.temperature,
        )

    @property
    def evaluation_batch(self) -> int:
        """Clips that an evaluation transcribes at once."""
        data = self.job.recipe.data
        return max(1, int((data.batch_size or 1) * data.validation_batch_factor))

    @property
    def highest(self) -> bool:
        """Whether the highest value of the monitored metric is the best."""
        return self.job.recipe.checkpoints.mode == "max"

    @property
    def run_dir(self) -> Path:
        """Where the run writes."""
        return self.job.run_dir


def _interval(job: TrainingJob, per_epoch: int) -> int:
    """Return the steps between evaluations; a hand-off counts passes, or a share of an epoch."""
    given = job.figures.val_check_interval
    if isinstance(given, float):
        return max(1, int(given * per_epoch))
    return max(1, given // job.figures.accumulation)


def _most(job: TrainingJob, clips: int) -> int:
    """Return how many clips an evaluation transcribes at most."""
    limit, data = job.recipe.trainer.limit_val_batches, job.recipe.data
    if limit is None:
        return clips
    if isinstance(limit, float):
        return max(1, int(limit * clips))
    return limit * max(1, int((data.batch_size or 1) * data.validation_batch_factor))


@dataclass
class Run:
    """What the trainers of the stages of a run share.

    Attributes:
        setup: Rows, plan and intervals.
        qwen: The model; with adapters, its network is the wrapped one.
        members: The parameters that ever train.
        loader: Of the training clips.
        log: Where everything is told.
        state: What the run knows beyond model and optimiser.
        failed: Rows whose audio could not be decoded.
    """

    setup: Setup
    qwen: Qwen
    members: list[Member]
    loader: EpochLoader
    log: RunWriter
    state: RunState
    failed: set[int]
