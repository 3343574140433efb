"""What commands that align share: the aligner, the engine, and an audit by their options."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.errors import UsageError

if TYPE_CHECKING:
    from asrdq.alignment import AlignerOptions
    from asrdq.audit.result import AuditResult
    from asrdq.cli.out_of_fold import OutOfFold
    from asrdq.settings import AuditSettings, Engine, RaySettings, Settings


def run_audit(
    workspace: str | Path,
    manifest: str,
    *,
    aligner: str | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    calibrate: bool | None = None,
    plant: bool = True,
    seed: int | None = None,
    workers: int = 0,
    second: str | None = None,
    hypotheses: str | None = None,
    folds: OutOfFold | None = None,
    engine: Engine | None = None,
    address: str | None = None,
) -> AuditResult:
    """Audit a manifest by name, with a progress bar for each stage.

    Raises:
        UsageError: There is an address of a cluster, and the engine is not Ray.
    """
    from asrdq.audit import AuditPlan, audit
    from asrdq.cli.stages import stage
    from asrdq.workspace import Workspace

    if folds is not None:
        folds.check()
    opened = Workspace.open(workspace)
    settings = opened.settings.audit
    cluster = cluster_of(opened.settings, engine, address)
    plan = AuditPlan(
        aligner=chosen_aligner(settings, aligner, device, batch_size),
        second=second and chosen_aligner(settings, second, device, batch_size),
        hypotheses=hypotheses,
        calibrate=calibrate,
        plant=plant,
        seed=opened.settings.sampling.seed if seed is None else seed,
        cluster=cluster,
    )
    workers = workers or opened.settings.workers
    with working_on(cluster):
        if folds is not None and folds.by is not None:
            from asrdq.cli.out_of_fold import run_out_of_fold

            return run_out_of_fold(opened, manifest, plan, folds, workers)
        return audit(opened, opened.manifest(manifest), plan, workers=workers, stage=stage)


@contextmanager
def working_on(cluster: RaySettings | None) -> Iterator[None]:
    """Stay connected to a cluster; None is this machine, which needs no connection.

    What Ray prints of dead workers goes to stderr, and not into the result.
    """
    if cluster is None:
        yield
        return
    from asrdq.engine import connected

    with redirect_stdout(sys.stderr), connected(cluster):
        yield


def cluster_of(
    settings: Settings, engine: Engine | None, address: str | None
) -> RaySettings | None:
    """Return the cluster that options and settings name, None for this machine.

    Raises:
        UsageError: There is an address, and the engine is not Ray.
    """
    if (engine or settings.engine) == "ray":
        return settings.ray.model_copy(update={"address": address or settings.ray.address})
    if address is not None:
        raise UsageError(f"the engine local has no address ({address})", hint="--engine ray")
    return None


def chosen_aligner(
    settings: AuditSettings, aligner: str | None, device: str | None, batch_size: int | None
) -> AlignerOptions:
    """Return what an aligner is built from: as the options say, otherwise as the settings do."""
    from asrdq.alignment import parse_aligner

    return parse_aligner(
        aligner or settings.aligner,
        device=device or settings.device,
        batch_size=batch_size or settings.batch_size,
    )
