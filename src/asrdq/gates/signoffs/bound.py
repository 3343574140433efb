"""What a sign-off is bound to: digests of data, evidence, policy and suites as they are now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from asrdq.errors import ToolError
from asrdq.gates.demands.suites import suite_file
from asrdq.gates.ledgers.ledger import canonical
from asrdq.gates.ledgers.reading import BROKEN, first_line
from asrdq.gates.policy import Policy
from asrdq.places import Place, file_digest, place, within
from asrdq.results import plain
from asrdq.shipped import shipped_file, shipped_folder
from asrdq.workspace.sql import connection

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

TABLES = {
    "sample": ("samples", "strata"),
    "audit": (
        *("audits", "detections", "calibrations", "fault_trials", "alignments", "word_spans"),
        "audit_folds",
    ),
    "gate": ("decisions",),
    "check": ("checks", "check_results"),
    "leaks": ("leaks", "leak_findings"),
    "score": ("scores", "term_scores", "score_groups"),
    "hypotheses": ("hypotheses",),
}
"""The tables that hold the evidence of a run, by the first word of what the run is called."""
_CHECK = "check "
_SHIPPED = "shipped:"


def evidence_digests(
    workspace: Workspace, runs: Mapping[str, str], tables: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Return number and digest of the rows of each table that a verdict stands on.

    Args:
        workspace: Where the tables are.
        runs: Run ids by what the runs are called: `audit`, `check asr_manifest`.
        tables: Which tables; by default all.

    Raises:
        ToolError: A table cannot be read.
    """
    wanted: dict[str, list[str]] = {}
    for name, run_id in runs.items():
        for table in TABLES.get(name.partition(" ")[0], ()):
            wanted.setdefault(table, []).append(run_id)
    wanted["runs"] = list(runs.values())
    return {
        name: _rows_digest(workspace, name, sorted(set(wanted[name]))) for name in tables or wanted
    }


def check_runs(workspace: Workspace, manifest: ManifestVersion) -> dict[str, str]:
    """Return the newest check of a manifest version by each suite: `check SUITE` to its run id."""
    if not workspace.table_exists("checks"):
        return {}
    found = workspace.query(
        "SELECT suite, arg_max(run_id, started) AS run_id FROM checks JOIN runs USING (run_id) "
        "WHERE checks.manifest = $manifest AND state = 'done' GROUP BY suite ORDER BY suite",
        {"manifest": str(manifest)},
    ).to_pylist()
    return {f"{_CHECK}{row['suite']}": row["run_id"] for row in found}


def rows_of(workspace: Workspace, table: str, run_ids: list[str]) -> pa.Table:
    """Return the rows of runs in a result table, none where there is no such table.

    Raises:
        ToolError: The table cannot be read.
    """
    if not workspace.table_exists(table):
        return pa.table({})
    query = f"SELECT * FROM {table} WHERE run_id IN (SELECT unnest($runs))"
    try:
        # a connection of its own: a shared one keeps what it has read and misses later changes
        with connection(workspace.store, [table]) as (database, _):
            return database.sql(query, params={"runs": run_ids}).to_arrow_table()
    except BROKEN as error:
        raise ToolError(f"cannot read table '{table}': {first_line(error)}") from error


def _rows_digest(workspace: Workspace, table: str, run_ids: list[str]) -> dict[str, Any]:
    """Return the digest of rows, whatever their order; a null is as good as a missing column."""
    texts = []
    for batch in rows_of(workspace, table, run_ids).to_batches():
        for row in batch.to_pylist():
            known = {name: _exact(value) for name, value in row.items() if value is not None}
            texts.append(canonical(known))
    digest = hashlib.sha256()
    for text in sorted(texts):
        digest.update(text.encode() + b"\n")
    return {"rows": len(texts), "sha256": digest.hexdigest()}


def _exact(value: Any) -> Any:
    """Return a value in JSON types, floats bit for bit."""
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [_exact(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _exact(item) for name, item in value.items()}
    return plain(value)


def data_digests(workspace: Workspace, manifest: ManifestVersion) -> dict[str, str]:
    """Return the SHA-256 of each file that holds rows of a manifest version.

    They cover every column, also those that the fingerprint leaves out.

    Args:
        workspace: Where the manifest is.
        manifest: The version.

    Raises:
        ToolError: A file cannot be read.
    """
    store = workspace.store
    found = {}
    for path in store.files(store.open(manifest.table, manifest.version), manifest.table):
        file = place(path)
        found[within(file, workspace.root) or path] = file_digest(file)
    return found


def suite_digests(workspace: Workspace, policy: Policy) -> dict[str, str]:
    """Return the SHA-256 of each suite of a workspace, and of those that a policy names."""
    folder = workspace.root / "expectations"
    suites: list[Place] = [item for item in folder.iterdir() if item.suffix == ".json"]
    suites += [suite_file(workspace, rules.suite) for rules in policy.suites]
    return {_suite_name(workspace, suite): file_digest(suite) for suite in sorted(suites, key=str)}


def _suite_name(workspace: Workspace, suite: Place) -> str:
    """Return how a suite is named in a ledger: relative, or as one that comes along."""
    inside = within(suite, workspace.root)
    if inside is None and suite.parent == shipped_folder("expectations"):
        return f"{_SHIPPED}{suite.name}"
    return inside or str(suite)


def bound_file(workspace: Workspace, name: str) -> Place:
    """Return the file that a name in a ledger means.

    Raises:
        UsageError: No such file comes along.
    """
    if name.startswith(_SHIPPED):
        return shipped_file("expectations", name.removeprefix(_SHIPPED))
    return workspace.place(name)


def criteria_digests(workspace: Workspace, policy: Policy) -> dict[str, str]:
    """Return the SHA-256 of the file of success criteria that a policy names."""
    if policy.criteria is None:
        return {}
    file = workspace.place(policy.criteria.file)
    return {within(file, workspace.root) or str(file): file_digest(file)}


def policy_place(workspace: Workspace, file: Place) -> str:
    """Return how a policy is named in a ledger: relative where it lies in the workspace."""
    return within(file, workspace.root) or str(file)
