"""Keep what logs say in `train_runs` and `train_metrics`; the same logs again add nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.errors import UsageError
from asrdq.monitoring.lineage import KEY
from asrdq.monitoring.series import Curves, curves_of
from asrdq.monitoring.tables import METRICS_TABLE, RUNS_TABLE, TRAIN_METRICS, TRAIN_RUNS
from asrdq.workspace.locks import locked
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from asrdq.monitoring.run_log import RunLog
    from asrdq.workspace import Workspace

RUNNING, ENDED = "running", "ended"


@dataclass(frozen=True)
class StoredRun:
    """A run as the tables have it now.

    Attributes:
        row: Its row of `train_runs`.
        rows: Its metrics, `wall_time` in seconds.
        added: Values that were not there before, or had changed.
    """

    row: dict[str, Any]
    rows: pl.DataFrame
    added: int

    def curves(self) -> Curves:
        """Return its metrics as curves."""
        return curves_of(
            self.rows,
            self.row["run"],
            max_steps=self.row["max_steps"],
            unfreezes=self.row["unfreezes"] or (),
        )


def store_run(workspace: Workspace, row: dict[str, Any], log: RunLog) -> StoredRun:
    """Write what is new of a run, in one commit a table.

    What logs do not hold any more (a checkpoint that was removed, a log that was rotated) stays;
    what a resumed run threw away goes.

    Args:
        workspace: Where the tables are.
        row: What is known of the run besides its logs, columns of `TRAIN_RUNS`.
        log: What its logs say.

    Raises:
        UsageError: Another run has this name.
        ToolError: The tables cannot be read or written.
    """
    with locked(workspace.store.layout.lock(f"train-{row['run']}"), what="this run"):
        known = check_name(workspace, row["run"], row["place"])
        stored = _stored(workspace, row["run"])
        merged, added, rewritten = _merge(stored, log)
        if rewritten:
            workspace.replace(METRICS_TABLE, _table(merged, row["run"]), run=row["run"])
        elif added.height:
            workspace.append(METRICS_TABLE, _table(added, row["run"]))
            workspace.store.compact(METRICS_TABLE)
        full = _run_row(row, log, merged, known)
        if known is None or any(full[k] != known[k] for k in full if k != "updated"):
            table = _one_row(full)
            workspace.replace(RUNS_TABLE, table, run=row["run"])
    return StoredRun(full, merged, added.height)


def read_run(workspace: Workspace, run: str) -> StoredRun | None:
    """Return a run of the tables, None where there is no run of that name."""
    rows = workspace.read(RUNS_TABLE, f"run = {quote_text(run)}", schema=TRAIN_RUNS).to_pylist()
    return StoredRun(rows[0], _stored(workspace, run), 0) if rows else None


def runs_on(workspace: Workspace, manifest: str) -> list[str]:
    """Return the runs that train on any version of a manifest, the newest first."""
    rows = workspace.read(RUNS_TABLE, schema=TRAIN_RUNS).sort_by([("updated", "descending")])
    named = ((row["run"], row["manifest"] or "") for row in rows.to_pylist())
    return [run for run, own in named if own.partition("@")[0] == manifest]


def check_name(workspace: Workspace, run: str, place: str) -> dict[str, Any] | None:
    """Return the row of a run, None where it is new.

    Raises:
        UsageError: The name belongs to a run at another place.
    """
    rows = workspace.read(RUNS_TABLE, f"run = {quote_text(run)}", schema=TRAIN_RUNS).to_pylist()
    if rows and rows[0]["place"] != place:
        raise UsageError(
            f"the name '{run}' belongs to the run at {rows[0]['place']}",
            where=place,
            hint="give this one another name with --name",
        )
    return rows[0] if rows else None


def _merge(stored: pl.DataFrame, log: RunLog) -> tuple[pl.DataFrame, pl.DataFrame, bool]:
    """Return all rows, those that are new or changed, and whether old ones go or change."""
    import polars as pl

    fresh = log.rows.select(stored.columns)
    same = fresh.join(
        stored.select(*KEY, pl.col("value").alias("before"), pl.lit(True).alias("known")),
        on=KEY,
        how="left",
        maintain_order="left",
    )
    changed = pl.col("known").is_not_null() & pl.col("value").ne_missing(pl.col("before"))
    added = same.filter(pl.col("known").is_null() | changed)
    gone = log.superseded.join(fresh.select(KEY), on=KEY, how="anti")
    kept = stored.join(fresh.select(KEY), on=KEY, how="anti").join(gone, on=KEY, how="anti")
    lost = stored.join(gone, on=KEY, how="semi").height
    rewritten = bool(lost or same.filter(changed).height)
    return pl.concat([kept, fresh]), added.select(stored.columns), rewritten


def _stored(workspace: Workspace, run: str) -> pl.DataFrame:
    import polars as pl

    table = workspace.read(METRICS_TABLE, f"run = {quote_text(run)}", schema=TRAIN_METRICS)
    rows = pl.from_arrow(table.drop_columns(["run"]))
    assert isinstance(rows, pl.DataFrame)
    seconds = pl.col("wall_time").dt.epoch("us").cast(pl.Float64) / 1e6
    return rows.with_columns(seconds, pl.col("split", "metric", "name").cast(pl.Categorical))


def _table(rows: pl.DataFrame, run: str) -> pa.Table:
    import polars as pl

    moment = (pl.col("wall_time") * 1e6).round().cast(pl.Int64).cast(pl.Datetime("us", "UTC"))
    text = pl.col("split", "metric", "name").cast(pl.String)
    full = rows.with_columns(moment, text, pl.lit(run).alias("run"))
    return full.select(TRAIN_METRICS.names).to_arrow().cast(TRAIN_METRICS)


def _one_row(row: dict[str, Any]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist([row], schema=TRAIN_RUNS)


def _run_row(
    row: dict[str, Any], log: RunLog, rows: pl.DataFrame, known: dict[str, Any] | None
) -> dict[str, Any]:
    before = known or {}
    told = {
        "manifest": row.get("manifest") or before.get("manifest"),
        "max_steps": row.get("max_steps") or log.max_steps or before.get("max_steps"),
        "unfreezes": sorted({*log.unfreezes, *(row.get("unfreezes") or ())}),
    }
    return {
        "run": row["run"],
        "place": row["place"],
        **told,
        "state": ENDED if log.ended else RUNNING,
        "last_step": rows["step"].max(),
        "last_epoch": rows["epoch"].max(),
        "files": list(log.files),
        "resumes": log.resumes,
        "problems": log.unreadable,
        "updated": dt.datetime.now(dt.UTC),
    }
