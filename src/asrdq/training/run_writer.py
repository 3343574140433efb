"""What a run tells while it trains: into metrics.csv, tables, rules, and a line on the screen."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.console import Progress, Stage, silent
from asrdq.monitoring.lineage import untangle
from asrdq.monitoring.names import DATA_SHARE, LOSS, SAMPLES_PER_SECOND, VALIDATION, classify
from asrdq.monitoring.readers.run_info import RUN_LOG
from asrdq.training.counts import check_counts
from asrdq.training.judging import LiveJudge
from asrdq.training.metrics_file import MetricsFile
from asrdq.training.stops import SIGNAL, WATCH, Stops
from asrdq.watch_settings import WatchSettings

if TYPE_CHECKING:
    from types import TracebackType

    from asrdq.monitoring.findings import Finding
    from asrdq.monitoring.result import MetricSummary
    from asrdq.training.counts import LoaderCounts
    from asrdq.training.job import TrainingJob
    from asrdq.training.tables import RunTables


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint that is whole on the disk; `metric` is the monitored one."""

    path: str
    step: int
    metric: float | None


class RunWriter:
    """The hands of the trainer: it takes what backends tell, and says when a run has to stop.

    Of several processes only rank 0 writes and judges; the others check their loader and know of
    signals.

    Args:
        job: The run.
        settings: Limits of the rules that watch it.
        tables: Where its rows go in a workspace; None: there is none.
        resumes: How often it was gone on with before.
        stage: Shows progress.

    Attributes:
        used_counts: What the loader uses for training and validation; None before it has told.
        checkpoints: What was saved by this process.
        stopped_by: The first reason to stop that was given out.
    """

    def __init__(
        self,
        job: TrainingJob,
        *,
        settings: WatchSettings | None = None,
        tables: RunTables | None = None,
        resumes: int = 0,
        stage: Stage = silent,
    ) -> None:
        self.job = job
        self.used_counts: tuple[LoaderCounts, LoaderCounts] | None = None
        self.checkpoints: list[Saved] = []
        self.stopped_by: str | None = None
        self.stops = Stops(job.run_dir)
        self._settings = settings or WatchSettings()
        self._tables, self._resumes, self._stage = tables, resumes, stage
        self._file = MetricsFile(job.run_dir / RUN_LOG)
        self._judge: LiveJudge | None = None
        self._bar: Progress | None = None
        self._shown: dict[str, str] = {}
        self._step = 0
        self._rule: str | None = None
        self._inside = ExitStack()

    def __enter__(self) -> RunWriter:
        self._inside.enter_context(self.stops)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._inside.close()

    def used(self, train: LoaderCounts, validation: LoaderCounts) -> None:
        """Hold what the loader uses against what was handed off; called before the first step.

        Raises:
            DataError: It differs by more than `job.loader_tolerance`.
        """
        self.used_counts = (train, validation)
        check_counts("train", train, self.job.expected_train, self.job.loader_tolerance)
        check_counts(
            "validation", validation, self.job.expected_validation, self.job.loader_tolerance
        )

    def begin(self, total_steps: int, resumed_from: int | None = None) -> None:
        """Begin: what was logged after the step that the run goes on from is dropped.

        Raises:
            ToolError: `metrics.csv` cannot be read or written.
        """
        assert self.used_counts is not None, "begin() before used()"
        if self.job.rank:
            return
        self._step = resumed_from or 0
        self._judge = LiveJudge(self.job, self._settings, total_steps)
        self._take_up(total_steps, resumed_from)
        told = f"train from step {resumed_from:,}" if resumed_from else "train"
        shown = self._stage(told, max(0, total_steps - self._step), "steps")
        self._bar = self._inside.enter_context(shown)

    def _take_up(self, total_steps: int, resumed_from: int | None) -> None:
        """Drop what is superseded: first from the tables, which follow the file."""
        import polars as pl

        assert self._judge is not None
        last = -1 if resumed_from is None else resumed_from
        before = untangle(self._file.read().rows).rows
        self._judge.go_on_from(before.filter(pl.col("step") <= last))
        if self._tables is not None:
            gone = before.filter(pl.col("step") > last)
            self._tables.begin(gone, total_steps, 0 if resumed_from is None else self._resumes)
            self._tables.store(self._judge.rows())
        self._file.cut(last)

    def log(self, step: int, values: Mapping[str, float], *, epoch: float | None = None) -> None:
        """Write values of an optimiser step, by the names of trainers.

        Such as `train_loss`, `val_loss`, `val_wer`, `val_cer`, `learning_rate`,
        `learning_rate_GROUP`, `grad_norm`, `samples_per_second`, `data_share` (the share of the
        time that was waited for data). A name has no comma, quote or line break.

        Raises:
            ToolError: `metrics.csv` cannot be written.
        """
        if self.job.rank:
            return
        assert self._judge is not None and self._bar is not None, "log() before begin()"
        self._file.append(step, values, epoch, time.time())
        self._judge.add(step, values, epoch)
        self._show(step, values)
        telling = any(
            not math.isfinite(v) or classify(n)[0] == VALIDATION for n, v in values.items()
        )
        self._rule = self._judge.look(at_once=telling) or self._rule
        if self._tables is not None and self._tables.due():
            self._tables.store(self._judge.rows())

    def _show(self, step: int, values: Mapping[str, float]) -> None:
        assert self._bar is not None
        for name, value in values.items():
            split, metric = classify(name)
            if metric in (SAMPLES_PER_SECOND, DATA_SHARE):
                told = f"{value:.3g} samples/s" if metric == SAMPLES_PER_SECOND else ""
                self._shown[metric] = told or f"{100 * value:.0f} % waiting for data"
            elif metric in (LOSS, "wer", "cer"):
                short = "validation " if split == VALIDATION else ""
                shown = f"{value:.4g}" if metric == LOSS else f"{100 * value:.2f} %"
                self._shown[f"{split} {metric}"] = f"{short}{metric} {shown}"
        fields = {key.replace(" ", "_"): told for key, told in self._shown.items()}
        self._bar.advance(max(0, step - self._step), **fields)
        self._step = max(self._step, step)

    def saved(self, path: Path, step: int, metric: float | None = None) -> None:
        """Note a checkpoint that is whole on the disk."""
        self.checkpoints.append(Saved(str(path), step, metric))

    def stop_reason(self) -> str | None:
        """Return why the run has to stop after this step, None where it goes on.

        `signal` (SIGTERM or Ctrl-C), `stop_file` (a file `STOP` in the run), or `watch:RULE`. On a
        rank other than 0 it is `signal` or None.
        """
        reason = self.stops.reason()
        if self.job.rank and reason != SIGNAL:
            reason = None
        if reason is None and self._rule is not None:
            reason = f"{WATCH}{self._rule}"
        self.stopped_by = self.stopped_by or reason
        return reason

    def finish(self) -> tuple[tuple[MetricSummary, ...], tuple[Finding, ...]]:
        """Judge once more and write the tables; return the metrics and what the rules found."""
        if self._judge is None:
            return (), ()
        self._judge.look(at_once=True)
        if self._tables is not None:
            self._tables.store(self._judge.rows(), ended=True)
        return self._judge.summary(), self._judge.findings
