"""One process that trains: what it holds while it does, and what it leaves beside the run."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from asrdq import console
from asrdq.errors import AsrdqError, ToolError
from asrdq.results import plain
from asrdq.training.folder import held
from asrdq.training.result import TrainingResult
from asrdq.training.run_info import MetricInfo, State, model_info, write_info
from asrdq.training.run_writer import RunWriter
from asrdq.training.stops import EARLY, SIGNAL, STOPPED_BY_FILE
from asrdq.training.tables import RunTables, manifest_of
from asrdq.workspace.runs import FAILED, INTERRUPTED

if TYPE_CHECKING:
    from asrdq.console import Stage
    from asrdq.training.handed import Side
    from asrdq.training.job import TrainingJob
    from asrdq.training.protocol import Trained, TrainingBackend
    from asrdq.training.run_info import RunInfo
    from asrdq.workspace import ManifestVersion, Run, Workspace


class TrainingProcess:
    """One process that trains a job.

    Args:
        job: The job; everything has been checked.
        backend: What trains it.
        info: What is known of the run so far.
        workspace: Whose tables keep it; None: none.
        side: The training manifest that was handed off.
        stage: Shows progress.
    """

    def __init__(
        self,
        job: TrainingJob,
        backend: TrainingBackend,
        info: RunInfo,
        workspace: Workspace | None,
        side: Side,
        stage: Stage,
    ) -> None:
        self._job, self._backend, self._info = job, backend, info
        self._workspace, self._stage = workspace, stage
        self._manifest: ManifestVersion | None = None
        if workspace is not None:
            self._manifest = manifest_of(workspace, side.manifest, side.fingerprint)
            if self._manifest is None:
                told = f"{workspace.root} does not have {side.manifest}: kept without it"
                console.say(told, "dim")
        self._started = time.monotonic()

    def run(self) -> TrainingResult:
        """Train, and keep how it went, whatever that is."""
        with held(self._job), self._kept() as run:
            writer = self._writer()
            self._write()
            try:
                with writer:
                    trained = self._backend.train(self._job, writer)
                self._end(writer, trained)
            except BaseException as error:
                self._fail(writer, error)
                raise
            info, stopped = self._info, self._info.stopped_by
            if run is not None and info.state == "stopped":
                asked = stopped in (SIGNAL, STOPPED_BY_FILE)
                run.finish(INTERRUPTED if asked else FAILED, stopped)
        return TrainingResult(str(self._job.run_dir), info, writer.stops.received)

    def _kept(self) -> AbstractContextManager[Run | None]:
        if self._workspace is None:
            return nullcontext()
        info = self._info
        told = {
            name: getattr(info, name)
            for name in ("bundle_id", "backend", "recipe", "base", "max_steps", "asked", "device")
        }
        parameters: dict[str, Any] = {**told, "run": info.name, "run_dir": self._job.run_dir}
        return self._workspace.run("train", self._manifest, parameters)

    def _writer(self) -> RunWriter:
        workspace = self._workspace
        if workspace is None:
            return RunWriter(self._job, stage=self._stage)
        manifest = None if self._manifest is None else str(self._manifest)
        return RunWriter(
            self._job,
            settings=workspace.settings.watch,
            tables=RunTables(workspace, self._job, manifest),
            resumes=len(self._info.attempts) - 1,
            stage=self._stage,
        )

    def _end(self, writer: RunWriter, trained: Trained) -> None:
        metrics, findings = writer.finish()
        finished = trained.stopped_by in (None, EARLY)
        if finished and trained.model is None and not self._job.rehearsal:
            raise ToolError(f"the backend {self._job.backend} has trained and gives no model")
        model = None if trained.model is None else model_info(trained.model)
        self._close_attempt(
            writer,
            "finished" if finished else "stopped",
            resumed_from=trained.resumed_from,
            steps=trained.steps,
            stopped_by=trained.stopped_by,
        )
        self._update(
            steps=trained.steps,
            epochs=trained.epochs,
            resumed_from=trained.resumed_from,
            stopped_by=trained.stopped_by,
            parameters=trained.parameters,
            trainable=trained.trainable,
            best=None if trained.best is None else str(trained.best),
            last=None if trained.last is None else str(trained.last),
            model=model,
            metrics=tuple(MetricInfo.model_validate(plain(each)) for each in metrics),
            findings=tuple(f"{f.level} {f.rule}, step {f.step:,}: {f.message}" for f in findings),
            facts=dict(trained.facts),
        )
        self._write()

    def _fail(self, writer: RunWriter, error: BaseException) -> None:
        """Keep what is known of a run that failed; the error itself goes on."""
        told = f"{type(error).__name__}: {error}"[:2000]
        self._close_attempt(writer, "failed", error=told)
        try:
            self._write()
            if isinstance(error, Exception):
                writer.finish()
        except AsrdqError as other:
            console.warn(f"what is known of the failed run could not be kept: {other.message}")

    def _close_attempt(self, writer: RunWriter, state: State, **known: Any) -> None:
        now = {"ended": dt.datetime.now(dt.UTC), "wall_s": time.monotonic() - self._started}
        last = self._info.attempts[-1].model_copy(update={**now, **known})
        self._update(
            state=state,
            attempts=(*self._info.attempts[:-1], last),
            checkpoints=(*self._info.checkpoints, *writer.checkpoints),
        )
        if writer.used_counts is not None:
            train, validation = writer.used_counts
            self._update(
                train=self._info.train.model_copy(update={"used": train}),
                validation=self._info.validation.model_copy(update={"used": validation}),
            )

    def _update(self, **values: Any) -> None:
        self._info = self._info.model_copy(update=values)

    def _write(self) -> None:
        if not self._job.rank:
            write_info(self._job.run_dir, self._info)
