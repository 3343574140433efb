"""What commands that align share: the aligner, and an audit by their options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.cli.engines import cluster_of, working_on

if TYPE_CHECKING:
    from asrdq.alignment import AlignerOptions
    from asrdq.audit.result import AuditResult
    from asrdq.cli.out_of_fold import OutOfFold
    from asrdq.settings import AuditSettings, Engine


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
