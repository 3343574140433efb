"""Finding the run whose rows are the evidence of a demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from asrdq.gates.demands.judged import NoEvidenceError
from asrdq.workspace.runs import DONE
from asrdq.workspace.store import quote_name

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Row = dict[str, Any]


def runs_of(workspace: Workspace, command: str, manifest: str) -> list[Row]:
    """Return the runs of a command on a manifest, the newest first, parameters read."""
    if not workspace.table_exists("runs"):
        return []
    found: list[Row] = workspace.query(
        "SELECT run_id, manifest_version, fingerprint, parameters, started, ended, state "
        "FROM runs WHERE command = $command AND manifest = $manifest "
        "ORDER BY started DESC, run_id DESC",
        {"command": command, "manifest": manifest},
    ).to_pylist()
    return [row | {"parameters": json.loads(row["parameters"] or "{}")} for row in found]


def answering_run(runs: list[Row], what: str, *stands: tuple[Callable[[Row], bool], str]) -> Row:
    """Return the newest run that is done and stands in each way; else say what is wrong.

    Args:
        runs: Runs, the newest first.
        what: What they are, as `check of train by asr_manifest`.
        stands: Conditions, each with what to say where no run that came this far keeps it.

    Raises:
        NoEvidenceError: There is none.
    """
    if not runs:
        raise NoEvidenceError(f"there is no {what}")
    done = [run for run in runs if run["state"] == DONE]
    if not done:
        raise NoEvidenceError(
            f"the {what} (run {runs[0]['run_id']}) is {runs[0]['state']}, not done"
        )
    for holds, problem in stands:
        kept = [run for run in done if holds(run)]
        if not kept:
            raise NoEvidenceError(f"the newest {what} (run {done[0]['run_id']}) {problem}")
        done = kept
    if done[0]["ended"] is None:
        raise NoEvidenceError(f"the {what} (run {done[0]['run_id']}) says no time of its end")
    return done[0]


def stands(
    workspace: Workspace, version: int | None, fingerprint: str | None, now: ManifestVersion
) -> bool:
    """Return whether evidence about a version answers for what its manifest holds now.

    The fingerprint leaves out the columns that groups, speakers and many expectations are about:
    another version of the same fingerprint has to have the same rows in every column.

    Args:
        workspace: Where the manifest is.
        version: The version that the evidence is about.
        fingerprint: The fingerprint that it had then.
        now: What the manifest holds now.

    Raises:
        UsageError: There is no such version.
    """
    if fingerprint != now.fingerprint:
        return False
    if version == now.version:
        return True
    then = workspace.manifest(f"{now.name}@{version}")
    if set(then.columns) != set(now.columns):
        return False
    columns = ", ".join(map(quote_name, sorted(now.columns)))
    digests = [
        workspace.query(f"SELECT sum(hash({columns})) AS digest FROM {quote_name(str(each))}")
        for each in (then, now)
    ]
    return bool(digests[0].equals(digests[1]))


def rows_of_run(
    workspace: Workspace, table: str, run_id: str, schema: pa.Schema, *, may_be_empty: bool = False
) -> list[Row]:
    """Return the rows of a run in a table that has every column.

    Raises:
        NoEvidenceError: The table, a column or the rows are missing.
    """
    if not workspace.table_exists(table):
        raise NoEvidenceError(f"there is no table '{table}'")
    found = workspace.query(f"SELECT * FROM {table} WHERE run_id = $run", {"run": run_id})
    missing = [name for name in schema.names if name not in found.column_names]
    if missing:
        raise NoEvidenceError(f"table '{table}' has no column '{', '.join(missing)}'")
    if not found.num_rows and not may_be_empty:
        raise NoEvidenceError(f"table '{table}' has no rows of run {run_id}")
    rows: list[Row] = found.select(schema.names).to_pylist()
    return rows


def present(workspace: Workspace, reference: str) -> ManifestVersion:
    """Return the version that a manifest of a policy has now.

    Raises:
        UsageError: There is none.
        NoEvidenceError: It has no rows.
    """
    found = workspace.manifest(reference)
    if found.rows == 0:
        raise NoEvidenceError(f"{found} has no rows")
    return found
