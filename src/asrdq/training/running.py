"""`asrdq train`: verified, guarded, checked, and only then trained."""

from __future__ import annotations

import datetime as dt
import platform
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from asrdq import console
from asrdq.console import Stage, silent
from asrdq.errors import AsrdqError, ToolError
from asrdq.results import plain
from asrdq.training.backends import load_backend
from asrdq.training.folder import clear_rehearsal, held, look_at
from asrdq.training.guards import Allowed, check_rules, guard
from asrdq.training.handed import HandedOff, Side, read_bundle
from asrdq.training.plan import (
    WORLD_RULE,
    TrainPlan,
    check_world,
    make_job,
    rank_of,
    rehearsal_of,
)
from asrdq.training.result import TrainingResult
from asrdq.training.run_info import (
    Attempt,
    MetricInfo,
    RunInfo,
    SideInfo,
    State,
    model_info,
    package_versions,
    write_info,
)
from asrdq.training.run_writer import RunWriter
from asrdq.training.stops import EARLY, SIGNAL, STOPPED_BY_FILE
from asrdq.training.tables import RunTables, manifest_of
from asrdq.workspace.runs import FAILED, INTERRUPTED

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob
    from asrdq.training.protocol import LoaderCounts, Trained, TrainingBackend
    from asrdq.workspace import Run, Workspace


def train(
    plan: TrainPlan, workspace: Workspace | None = None, *, stage: Stage = silent
) -> TrainingResult:
    """Train a bundle, go on with a run that was stopped or killed, or say that it is finished.

    The bundle is verified, its recipe and data are held against the lint, and the backend says
    what it cannot do, all before a model is built.

    Args:
        plan: What is asked for.
        workspace: Whose tables keep the run; None: it lies in its folder alone.
        stage: Shows progress.

    Raises:
        DataError: The bundle was changed, a mistake stands that a run does not survive, the
            loader uses other rows, or a rule has stopped the run before.
        UsageError: The folder belongs to another run, or an option cannot be meant.
        ToolError: A package, the base model or the device is missing, or the training failed.
    """
    check_rules(plan.allow)
    first_here = rank_of("LOCAL_RANK", rank_of()) == 0
    with stage("look at audio", None, "files") as bar:
        handed = read_bundle(
            plan.bundle, expected_id=plan.bundle_id, audio=first_here, advance=bar.advance
        )
    job = make_job(plan, handed)
    before = None if plan.rehearse else look_at(job, plan.max_steps)
    if before is not None and before.state == "finished":
        return TrainingResult(str(job.run_dir), before, already=True)
    allowed = guard(handed, job.base, job.allowed, stage=stage)
    for each in allowed:
        console.warn(f"let pass by --allow {each.rule}: {each.message}")
    backend = load_backend(job.backend)
    if plan.rehearse:
        clear_rehearsal(job)
        job = rehearsal_of(job, backend)
    elif (told := check_world(job)) is not None:
        allowed += (Allowed(WORLD_RULE, told),)
    backend.check(job)
    info = _begun(plan, job, handed, allowed, before)
    keeps = None if plan.rehearse or job.rank else workspace
    return _Training(job, backend, info, keeps, handed.train, stage).run()


def _begun(
    plan: TrainPlan,
    job: TrainingJob,
    handed: HandedOff,
    allowed: tuple[Allowed, ...],
    before: RunInfo | None,
) -> RunInfo:
    attempt = Attempt(started=dt.datetime.now(dt.UTC))
    return RunInfo(
        state="running",
        name=job.name,
        bundle=str(job.bundle),
        bundle_id=job.bundle_id,
        backend=job.backend,
        recipe=handed.recipe.name,
        recipe_sha256=handed.recipe_hash,
        base=job.base,
        max_steps=plan.max_steps,
        rehearsal=job.rehearsal,
        device=job.device,
        seed=job.recipe.trainer.seed,
        loader_tolerance=job.loader_tolerance,
        asked=tuple(sorted(job.allowed)),
        allowed=allowed,
        train=_side(handed.train, job.expected_train),
        validation=_side(handed.validation, job.expected_validation),
        versions=package_versions(),
        platform=platform.platform(),
        attempts=(*(before.attempts if before else ()), attempt),
        total_steps=job.figures.steps,
        checkpoints=before.checkpoints if before else (),
    )


def _side(side: Side, expected: LoaderCounts) -> SideInfo:
    return SideInfo(manifest=side.manifest, fingerprint=side.fingerprint, expected=expected)


class _Training:
    """One process that trains, and what it leaves beside the run."""

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
        self._manifest = None if workspace is None else manifest_of(workspace, side)
        if workspace is not None and self._manifest is None:
            console.say(f"{workspace.root} does not have {side.manifest}: kept without it", "dim")
        self._started = time.monotonic()

    def run(self) -> TrainingResult:
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
            model=None if trained.model is None else model_info(trained.model),
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
