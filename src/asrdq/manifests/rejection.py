"""What becomes of rejects: they are stored, and too many of them end a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.errors import DataError, Problem
from asrdq.manifests.rejects import TABLE, RejectLog, as_table

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import Workspace

_EXAMPLES = 5


def store_rejects(workspace: Workspace, log: RejectLog, run_id: str, manifest: str) -> pa.Table:
    """Store the rejects of a run in the place of those that a killed run of the manifest left.

    Returns:
        They, as rows of the table `rejects`.
    """
    rejects = as_table(log.kept, run_id, manifest)
    left = []
    if workspace.table_exists(TABLE):
        found = workspace.query(
            "SELECT DISTINCT run_id FROM rejects SEMI JOIN runs USING (run_id) "
            "WHERE rejects.manifest = $name AND run_id IN "
            "(SELECT run_id FROM runs WHERE state = 'interrupted')",
            {"name": manifest},
        )
        left = found["run_id"].to_pylist()
    if left or rejects.num_rows:
        workspace.replace(TABLE, rejects, run_id=[run_id, *left])
    return rejects


def check_share(
    log: RejectLog, rows: int, limit: float, run_id: str, *, unit: str, where: str | None = None
) -> None:
    """Let a run go on that has rows, and not too many rejects.

    Args:
        log: The rejects.
        rows: Number of rows that were taken.
        limit: The largest share of rejects, 0 to 1.
        run_id: The run.
        unit: What was rejected, in the plural: lines or rows.
        where: The file, where there is one.

    Raises:
        DataError: Nothing is left, or the share is above the limit.
    """
    if rows + log.total == 0:
        raise DataError("the manifest is empty: no version was made", where=where)
    share = log.total / (rows + log.total)
    if share <= limit and rows:
        return
    counts = ", ".join(f"{count:,} × {why}" for why, count in log.counts.most_common())
    raise DataError(
        f"{log.total:,} of {rows + log.total:,} {unit} ({share:.1%}) were rejected, the limit is "
        f"{limit:.1%}: no version was made ({counts})",
        where=where,
        problems=[
            Problem(f"{item.reason}: {item.detail}", item.file, item.line)
            for item in log.kept[:_EXAMPLES]
        ],
        hint=f"see them all: asrdq sql \"FROM rejects WHERE run_id = '{run_id}'\"",
    )
