"""The audit with its progress bars, as the verbs `audit`, `faults` and `demo` run it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq import console

if TYPE_CHECKING:
    from asrdq.audit.collection import OnClip
    from asrdq.audit.result import AuditResult
    from asrdq.cli.out_of_fold import OutOfFold


def run_audit(
    workspace: str | Path,
    manifest: str,
    *,
    aligner: str | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    calibrate: bool = True,
    plant: bool = True,
    seed: int | None = None,
    workers: int = 0,
    folds: OutOfFold | None = None,
) -> AuditResult:
    """Audit a manifest by name, with a progress bar for each stage."""
    from asrdq.alignment import parse_aligner
    from asrdq.audit import AuditPlan, audit
    from asrdq.workspace import Workspace

    if folds is not None:
        folds.check()
    opened = Workspace.open(workspace)
    settings = opened.settings.audit
    plan = AuditPlan(
        aligner=parse_aligner(
            aligner or settings.aligner,
            device=device or settings.device,
            batch_size=batch_size or settings.batch_size,
        ),
        calibrate=calibrate,
        plant=plant,
        seed=opened.settings.sampling.seed if seed is None else seed,
    )
    workers = workers or opened.settings.workers
    if folds is not None and folds.by is not None:
        from asrdq.cli.out_of_fold import run_out_of_fold

        return run_out_of_fold(opened, manifest, plan, folds, workers)
    return audit(
        opened,
        opened.manifest(manifest),
        plan,
        workers=workers,
        stage=stage,
    )


@contextmanager
def stage(name: str, clips: int) -> Iterator[OnClip]:
    """Show the progress of one stage: clips a second, × real time, time left."""
    started, audio_s = time.monotonic(), 0.0
    with console.progress(name, clips, "clips") as bar:

        def on_clip(seconds: float) -> None:
            nonlocal audio_s
            audio_s += seconds
            speed = audio_s / max(time.monotonic() - started, 1e-9)
            bar.advance(1, speed=f"{speed:,.0f} × real time")

        yield on_clip
