"""`asrdq check`: a suite of expectations against a manifest version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from asrdq.checks.failing import Failing, find_failing
from asrdq.checks.judges import Ruling, judge_texts
from asrdq.checks.result import CheckResult
from asrdq.checks.subject import Subject, open_subject, other_manifests
from asrdq.checks.suites import Suite, read_suite
from asrdq.checks.tables import (
    CHECK_RESULTS,
    CHECK_RESULTS_SCHEMA,
    CHECKS,
    CHECKS_SCHEMA,
    TEXT_FINDINGS,
)
from asrdq.checks.text_judge import FINDINGS
from asrdq.console import Progress, Stage, silent
from asrdq.errors import DataError
from asrdq.results import plain
from asrdq.workspace.sandbox import BATCH_ROWS
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.checks.engine import Measured
    from asrdq.checks.expected import Expected
    from asrdq.workspace import ManifestVersion, Workspace

LIMIT = 100
"""Failing rows that are kept of each expectation unless told."""

Row = dict[str, Any]


def check(
    workspace: Workspace,
    manifest: ManifestVersion,
    suite: str,
    *,
    limit: int = LIMIT,
    stage: Stage = silent,
) -> CheckResult:
    """Run a suite against a manifest version and write the tables `checks` and `check_results`.

    Great Expectations judges, on DuckDB over the tables of the workspace. An expectation that
    could not be judged (a missing column, no probe, no value at all) is an error and no success.

    Args:
        workspace: Where the manifest and the tables are.
        manifest: The version to check.
        suite: Name of a suite of the workspace or a shipped one, or the path of a JSON file.
        limit: Failing rows to keep of each expectation.
        stage: Opens progress displays.

    Raises:
        UsageError: The suite is missing, or cannot be loaded in full.
        DataError: The manifest has no row.
        ToolError: Great Expectations is not installed.
    """
    if manifest.rows == 0:
        raise DataError(
            f"manifest {manifest} has no row, so no expectation can hold",
            hint="asrdq ingest FILE --name NAME",
        )
    read = read_suite(workspace, suite)
    others = other_manifests(workspace, read)
    parameters = {
        "suite": read.name,
        "file": read.file,
        "suite_hash": read.digest,
        "limit": limit,
        "others": {
            name: {"version": other.version, "fingerprint": other.fingerprint}
            for name, other in others.items()
            if other
        },
    }
    with (
        workspace.run("check", manifest, parameters) as run,
        open_subject(workspace, manifest, others) as subject,
    ):
        keys = {"run_id": run.run_id, "manifest": str(manifest), "suite": read.name}
        rulings = _rulings(workspace, subject, read, run.run_id, stage)
        with stage("check", len(read.expectations), "expectations") as progress:
            checks, failing = _judge(subject, read, rulings, limit, keys, progress)
        workspace.replace(CHECK_RESULTS, failing, run_id=run.run_id)
        workspace.replace(CHECKS, checks, run_id=run.run_id)
    return CheckResult(
        **keys,
        suite_hash=read.digest,
        rows=manifest.rows,
        hours=manifest.hours,
        checks=checks,
        failing=failing,
    )


def _rulings(
    workspace: Workspace, subject: Subject, suite: Suite, run_id: str, stage: Stage
) -> dict[int, Ruling]:
    """Return what is known of expectations before the suite is run; keep what is said of texts."""
    rulings = {item.position: Ruling(subject.trouble(item)) for item in suite.expectations}
    sound = [item for item in suite.expectations if rulings[item.position].trouble is None]
    judged = judge_texts(subject.database, sound, workspace.place, stage=stage)
    if judged:
        rows = f"SELECT {quote_text(run_id)} AS run_id, * FROM {FINDINGS}"
        workspace.replace(
            TEXT_FINDINGS,
            lambda: subject.database.sql(rows).to_arrow_reader(BATCH_ROWS),
            run_id=run_id,
        )
        own = f"SELECT * FROM {TEXT_FINDINGS} WHERE run_id = {quote_text(run_id)}"
        subject.definitions[FINDINGS] = own
    return rulings | judged


def _judge(
    subject: Subject,
    suite: Suite,
    rulings: dict[int, Ruling],
    limit: int,
    keys: Row,
    progress: Progress,
) -> tuple[pa.Table, pa.Table]:
    from asrdq.checks.engine import Measured, measure

    sound = [item for item in suite.expectations if rulings[item.position].trouble is None]
    measured = measure(subject.database, sound) if sound else {}
    checks: list[Row] = []
    failing: list[Row] = []
    for item in suite.expectations:
        ruling = rulings[item.position]
        outcome = measured.get(item.position) or Measured(False, error=ruling.trouble)
        about = {
            **keys,
            "position": item.position,
            "expectation": item.name,
            "severity": item.severity,
        }
        found = find_failing(subject, outcome, limit)
        told = _told(item, outcome, found, subject.manifest.rows)
        observed = outcome.observed or ruling.note
        checks.append({**about, "suite_hash": suite.digest, **told, "observed": observed})
        failing += ({**about, **row} for row in (found.rows if found else ()))
        progress.advance()
    return (
        pa.Table.from_pylist(checks, CHECKS_SCHEMA),
        pa.Table.from_pylist(failing, CHECK_RESULTS_SCHEMA),
    )


def _told(item: Expected, outcome: Measured, failing: Failing | None, total: int) -> Row:
    """Return what the table `checks` says of an expectation."""
    known = failing.hours if failing else None
    return {
        "column": ", ".join(item.about) or None,
        "arguments": json.dumps(plain(item.arguments), ensure_ascii=False, sort_keys=True),
        "success": outcome.success,
        "error": outcome.error,
        "rows": outcome.rows,
        "share": None if outcome.rows is None else outcome.rows / total,
        "hours": 0.0 if outcome.rows == 0 else known,
        "query": failing.query if failing else None,
    }
