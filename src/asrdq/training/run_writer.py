"""What a run tells while it trains: into metrics.csv, tables, rules, and a line on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob
    from asrdq.training.protocol import LoaderCounts


class RunWriter:
    """The hands of the trainer: it takes what backends tell, and says when a run has to stop."""

    def __init__(self, job: TrainingJob) -> None:
        self.job = job

    def used(self, train: LoaderCounts, validation: LoaderCounts) -> None:
        """Hold what the loader uses against what was handed off; called before the first step.

        Raises:
            DataError: It differs by more than `job.loader_tolerance`.
        """
        raise NotImplementedError

    def begin(self, total_steps: int, resumed_from: int | None = None) -> None:
        """Begin: what was logged after the step that the run goes on from is dropped."""
        raise NotImplementedError

    def log(self, step: int, values: Mapping[str, float], *, epoch: float | None = None) -> None:
        """Write values of an optimiser step, by the names of trainers.

        Such as `train_loss`, `val_loss`, `val_wer`, `val_cer`, `learning_rate`,
        `learning_rate_GROUP`, `grad_norm`, `samples_per_second`, `data_share` (the share of the
        time that was waited for data).
        """
        raise NotImplementedError

    def saved(self, path: Path, step: int, metric: float | None = None) -> None:
        """Note a checkpoint that is whole on the disk."""
        raise NotImplementedError

    def stop_reason(self) -> str | None:
        """Return why the run has to stop after this step, None where it goes on.

        `signal` (SIGTERM or Ctrl-C), `stop_file` (a file `STOP` in the run), or `watch:RULE`. On a
        rank other than 0 it is `signal` or None.
        """
        raise NotImplementedError
