"""The folder of a run: whose it is, whether it may be gone on with, who writes in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrdq.errors import DataError, ToolError, UsageError
from asrdq.monitoring.readers.run_info import RUN_LOG
from asrdq.training.run_info import RunInfo, read_info
from asrdq.training.stops import STOP_FILE, WATCH
from asrdq.workspace.locks import LifeSign, is_alive

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob

_SIGN: Final = ".training"
_CONSOLES: Final = (".log", ".out", ".err")


def look_at(job: TrainingJob, max_steps: int | None) -> RunInfo | None:
    """Return what is kept of the run that this job goes on with; None where it begins.

    A run that failed before its first step, as one whose base cannot be loaded, binds nobody.

    Raises:
        UsageError: The folder belongs to another run, or to none.
        DataError: A rule or a stop file has ended the run, and still stands.
        ToolError: It cannot be read.
    """
    before = read_info(job.run_dir)
    if before is None:
        _refuse_strange(job.run_dir)
    elif _never_began(job.run_dir, before):
        before = None
    else:
        _refuse_other(job, max_steps, before)
    if before is None or before.state != "finished":
        _refuse_stopped(job, before)
    return before


def _never_began(run_dir: Path, before: RunInfo) -> bool:
    """Return whether a run failed before its first step: there is nothing that it could go on."""
    return before.state == "failed" and not before.checkpoints and not (run_dir / RUN_LOG).exists()


def _refuse_strange(run_dir: Path) -> None:
    if not run_dir.exists():
        return
    if not run_dir.is_dir():
        raise UsageError("is no folder", where=str(run_dir), hint="--run-dir names another")
    names = sorted(item.name for item in run_dir.iterdir())
    other = [n for n in names if n[0] != "." and n != STOP_FILE and not n.endswith(_CONSOLES)]
    if other:
        raise UsageError(
            f"there is something else in the folder of the run: {', '.join(other[:5])}",
            where=str(run_dir),
            hint="name a folder that is new or empty with --run-dir",
        )


def _refuse_other(job: TrainingJob, max_steps: int | None, before: RunInfo) -> None:
    asked = {
        "bundle_id": job.bundle_id,
        "backend": job.backend,
        "base": job.base,
        "max_steps": max_steps,
    }
    for name, value in asked.items():
        there = getattr(before, name)
        if there != value:
            raise UsageError(
                f"the run in this folder has another {name}: {there}, not {value}",
                where=str(job.run_dir),
                hint="give the same command again, or name another folder with --run-dir",
            )


def _refuse_stopped(job: TrainingJob, before: RunInfo | None) -> None:
    by = (before.stopped_by or "") if before is not None and before.state == "stopped" else ""
    rule = by.removeprefix(WATCH)
    if by.startswith(WATCH) and rule not in job.allowed:
        assert before is not None
        raise DataError(
            f"the run was stopped by the rule {rule} at step {before.steps or 0:,}",
            where=str(job.run_dir),
            hint=f"asrdq checkpoints {job.run_dir} says what to go back to; --allow {rule} goes on",
        )
    file = job.run_dir / STOP_FILE
    if file.exists():
        why = file.read_text(encoding="utf-8", errors="replace").strip()[:500]
        raise DataError(
            f"a stop file is there{': ' + why if why else ''}",
            where=str(file),
            hint="delete it, and the same command goes on",
        )


@contextmanager
def held(job: TrainingJob) -> Iterator[None]:
    """Hold the folder for as long as a process trains in it.

    Raises:
        UsageError: Another process of this machine does.
        ToolError: The folder cannot be written.
    """
    if job.rank:
        yield
        return
    sign = job.run_dir / _SIGN
    try:
        job.run_dir.mkdir(parents=True, exist_ok=True)
        if is_alive(sign):
            raise UsageError(
                "another process trains in this folder",
                where=str(job.run_dir),
                hint="wait for it, or end it; --run-dir names another folder",
            )
        life = LifeSign(sign)
    except OSError as error:
        raise ToolError(
            f"cannot be written: {error.strerror or error}", where=str(job.run_dir)
        ) from error
    try:
        yield
    finally:
        life.end()


def clear_rehearsal(job: TrainingJob) -> None:
    """Delete what an earlier rehearsal has left."""
    if job.run_dir.exists():
        _refuse_unlike_rehearsal(job.run_dir)
        shutil.rmtree(job.run_dir)


def _refuse_unlike_rehearsal(run_dir: Path) -> None:
    before = read_info(run_dir)
    if before is None:
        _refuse_strange(run_dir)
    elif not before.rehearsal:
        raise UsageError("holds a run that is no rehearsal", where=str(run_dir))
