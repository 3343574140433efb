"""A run in the tables of a workspace while it trains."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from asrdq import console
from asrdq.errors import AsrdqError, UsageError
from asrdq.monitoring.lineage import KEY
from asrdq.monitoring.readers.run_info import RUN_LOG
from asrdq.monitoring.run_log import RunLog
from asrdq.monitoring.storing import check_name, store_run
from asrdq.training.pace import Pace

if TYPE_CHECKING:
    import polars as pl

    from asrdq.training.job import TrainingJob
    from asrdq.workspace import ManifestVersion, Workspace

_EVERY_S, _SHARE = 30.0, 0.01


class RunTables:
    """Keeps `train_runs` and `train_metrics` up with a run.

    A table that cannot be written does not end the training: it is told, tried again, and
    `asrdq watch` writes the rest from `metrics.csv`.

    Raises:
        UsageError: The name of the run belongs to one at another place.
    """

    def __init__(self, workspace: Workspace, job: TrainingJob, manifest: str | None) -> None:
        self._workspace = workspace
        self._row: dict[str, Any] = {
            "run": job.name,
            "place": str(job.run_dir),
            "manifest": manifest,
        }
        self._pace = Pace(_EVERY_S, _SHARE)
        self._superseded: pl.DataFrame | None = None
        self._resumes = 0
        self._failed = False
        check_name(workspace, job.name, str(job.run_dir))

    def begin(self, superseded: pl.DataFrame, total_steps: int, resumes: int) -> None:
        """Take what a resumed run throws away, and how long it is to be."""
        self._superseded = superseded.select(KEY)
        self._row |= {"max_steps": total_steps}
        self._resumes = resumes

    def due(self) -> bool:
        """Return whether it is time to write."""
        return self._pace.due()

    def store(self, rows: pl.DataFrame, *, ended: bool = False) -> None:
        """Write what is new of a run; `rows` has one a split, metric and step."""
        import polars as pl

        assert self._superseded is not None, "store() before begin()"
        log = RunLog(
            rows=rows.with_columns(pl.lit(RUN_LOG).alias("file")),
            superseded=self._superseded,
            files=(RUN_LOG,),
            max_steps=None,
            ended=ended,
            unfreezes=(),
            resumes=self._resumes,
            problems=(),
            unreadable=0,
        )
        started = time.monotonic()
        try:
            store_run(self._workspace, self._row, log)
        except AsrdqError as error:
            if not self._failed or ended:
                console.warn(f"the tables lag behind: {error.message}; asrdq watch writes them")
            self._failed = True
        else:
            self._failed = False
        self._pace.took(time.monotonic() - started)


def manifest_of(workspace: Workspace, name: str, fingerprint: str) -> ManifestVersion | None:
    """Return the manifest version that was handed off; None where this workspace lacks it."""
    try:
        found = workspace.manifest(name)
    except UsageError:
        return None
    return found if found.fingerprint == fingerprint else None
