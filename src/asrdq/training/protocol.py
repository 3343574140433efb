"""What a trainer has to be: it checks a job, trains it, and tells what its loader really used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob
    from asrdq.training.run_writer import RunWriter


@dataclass(frozen=True, slots=True)
class Trained:
    """What came out of a run.

    Attributes:
        model: The adapted model, a `.nemo` file or a folder with weights; None where the run was
            stopped by a signal, or is a rehearsal.
        best: The best checkpoint by the monitored metric; None where there is none.
        last: The checkpoint that training goes on from.
        steps: Optimiser steps of the run, those before it was resumed with them.
        epochs: Passes over the training data.
        resumed_from: The step that this process went on from; None: it began anew.
        stopped_by: `RunWriter.stop_reason()`, or `early_stopping`; None: it went to its end.
        parameters: Parameters of the model.
        trainable: Those of them that trained in the end.
        facts: What else is worth keeping beside the run, in JSON types: the device that it really
            ran on, its loss, its tokenizer.
    """

    model: Path | None
    best: Path | None
    last: Path | None
    steps: int
    epochs: float
    resumed_from: int | None
    stopped_by: str | None
    parameters: int
    trainable: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class TrainingBackend(Protocol):
    """A trainer, found by its name in the entry-point group `asrdq.backends`.

    The entry point is a class that is made without arguments; importing its module loads no
    machine-learning library.
    """

    name: str

    def check(self, job: TrainingJob) -> None:
        """Refuse what cannot run, before a model is built.

        Raises:
            ToolError: A package, the base or the device is not there.
            UsageError: The recipe asks for what this backend cannot do.
        """

    def stand_in(self, job: TrainingJob, folder: Path) -> Path:
        """Build a tiny random model of the recipe's family, for a rehearsal.

        Args:
            job: Its training manifest has the texts for a tokenizer.
            folder: Where it goes.

        Returns:
            What a job takes as `base`.
        """

    def train(self, job: TrainingJob, log: RunWriter) -> Trained:
        """Train to the end, or until something stops it.

        What the loader uses is told with `log.used` before the first step, then `log.begin`.
        `log.stop_reason()` is asked after each step, on rank 0, which tells the others: on
        `signal` and `stop_file` a checkpoint is written at once, on `watch:…` none (the state may
        be broken). A checkpoint in `job.run_dir` is gone on from without being asked. Everything
        that is written lies under `job.run_dir`.

        Raises:
            DataError: The loader uses other rows than were handed off.
            ToolError: Something that training needs failed.
        """
