"""`asrdq train`: verified, guarded, checked, and only then trained."""

from __future__ import annotations

import datetime as dt
import platform
from typing import TYPE_CHECKING

from asrdq import console
from asrdq.console import Stage, silent
from asrdq.training.backends import load_backend
from asrdq.training.folder import clear_rehearsal, look_at
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
from asrdq.training.process import TrainingProcess
from asrdq.training.result import TrainingResult
from asrdq.training.run_info import Attempt, RunInfo, SideInfo, package_versions

if TYPE_CHECKING:
    from asrdq.training.counts import LoaderCounts
    from asrdq.training.job import TrainingJob
    from asrdq.workspace import Workspace


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
    keeps_batch = getattr(backend, "keeps_effective_batch", False)
    if not keeps_batch and (told := check_world(job)) is not None:
        allowed += (Allowed(WORLD_RULE, told),)
    if plan.rehearse:
        clear_rehearsal(job)
        job = rehearsal_of(job, backend)
    backend.check(job)
    info = _begun(plan, job, handed, allowed, before)
    keeps = None if plan.rehearse or job.rank else workspace
    return TrainingProcess(job, backend, info, keeps, handed.train, stage).run()


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
