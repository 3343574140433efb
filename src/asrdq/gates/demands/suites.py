"""Suites: the newest check of exactly this content by exactly this suite."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from asrdq.checks.rules import MANIFEST
from asrdq.checks.suites import CRITICAL, suite_names
from asrdq.checks.tables import CHECKS, CHECKS_SCHEMA
from asrdq.errors import AsrdqError, counted, first_few, unknown
from asrdq.gates.demands.finding_runs import Row, answering_run, rows_of_run, runs_of, stands
from asrdq.gates.demands.judged import (
    Answer,
    Asked,
    Demand,
    NoEvidenceError,
    Source,
    Standing,
)
from asrdq.places import Place

if TYPE_CHECKING:
    from asrdq.gates.policy_sections import SuiteRules
    from asrdq.workspace import ManifestVersion, Workspace

_NAMED = 3


def demands(asked: Asked) -> Iterator[Demand]:
    """Give what a policy demands of each suite."""
    for rules in asked.policy.suites:
        most = "no critical failure" if rules.fail_on == CRITICAL else "no failure"
        yield Demand(
            f"suite:{rules.suite}",
            f"the manifest keeps the suite {rules.suite}",
            most,
            f"asrdq check {asked.manifest.name} --suite {rules.suite}",
            partial(_look, asked, rules),
        )


def suite_file(workspace: Workspace, suite: str) -> Place:
    """Return the file of a suite of a policy: by name, or by its path in the workspace.

    Raises:
        UsageError: There is none of that name.
    """
    if suite.endswith(".json"):
        return workspace.place(suite)
    known = suite_names(workspace)
    if suite not in known:
        raise unknown("suite", suite, known)
    return known[suite]


def _look(asked: Asked, rules: SuiteRules) -> Answer:
    workspace, manifest = asked.workspace, asked.manifest
    content = suite_file(workspace, rules.suite).read_bytes()
    digest, document = hashlib.sha256(content).hexdigest(), json.loads(content)
    name = str(document.get("name") or rules.suite.rpartition("/")[2].removesuffix(".json"))
    runs = [
        run
        for run in runs_of(workspace, "check", manifest.name)
        if run["parameters"].get("suite") == name
    ]
    run = answering_run(
        runs,
        f"check of {manifest.name} by {rules.suite}",
        (
            lambda run: stands(workspace, run["manifest_version"], run["fingerprint"], manifest),
            f"is of other content than {manifest}",
        ),
        (
            lambda run: run["parameters"].get("suite_hash") == digest,
            "is by another version of the suite",
        ),
    )
    rows = rows_of_run(workspace, CHECKS, run["run_id"], CHECKS_SCHEMA)
    source = Source(
        CHECKS,
        f"SELECT * FROM {CHECKS} WHERE run_id = '{run['run_id']}'",
        f"check {name}",
        run["run_id"],
        run["ended"],
        tuple(_others(workspace, run, document)),
    )
    _check_whole(rows, document, digest, source)
    return _judge(rows, rules, source)


def _others(workspace: Workspace, run: Row, document: Any) -> Iterator[ManifestVersion]:
    """Give the other manifests that a check compared with, where they are as they were then."""
    asked = [item.get("kwargs", {}).get(MANIFEST) for item in document["expectations"]]
    compared = run["parameters"].get("others") or {}
    for name in dict.fromkeys(name for name in asked if name):
        try:
            now = workspace.manifest(name)
        except AsrdqError as error:
            raise NoEvidenceError(f"it compared with '{name}': {error.message}") from error
        then = compared.get(name) or {}
        if not stands(workspace, then.get("version"), then.get("fingerprint"), now):
            raise NoEvidenceError(f"it compared with another content of '{name}' than {now}")
        yield now


def _check_whole(rows: list[Row], document: Any, digest: str, source: Source) -> None:
    """Refuse rows that are not those of each expectation of the suite, judged.

    Raises:
        NoEvidenceError: They are not.
    """
    expectations = enumerate(document["expectations"], 1)
    named = [(number, item["type"], _severity(item)) for number, item in expectations]
    found = sorted((row["position"], row["expectation"], row["severity"]) for row in rows)
    if found != named:
        raise NoEvidenceError(
            f"its {len(found)} rows are not the {len(named)} expectations of the suite", (source,)
        )
    if any(row["suite_hash"] != digest for row in rows):
        raise NoEvidenceError("its rows name another version of the suite", (source,))
    errors = [row for row in rows if row["error"] is not None or row["success"] is None]
    if errors:
        told = "; ".join(f"{row['expectation']}: {row['error']}" for row in errors[:_NAMED])
        raise NoEvidenceError(
            f"{len(errors)} of its expectations could not be judged: {told}", (source,)
        )


def _severity(item: dict[str, Any]) -> str:
    stated = item.get("severity") or (item.get("meta") or {}).get("severity")
    return str(stated or CRITICAL)


def _judge(rows: list[Row], rules: SuiteRules, source: Source) -> Answer:
    unmet = [row for row in rows if not row["success"]]
    critical = [row for row in unmet if row["severity"] == CRITICAL]
    warnings = len(unmet) - len(critical)
    value = f"{len(critical)} critical and {counted(warnings, 'warning')} of {len(rows)} fail"
    if not unmet:
        return Answer(Standing.HOLDS, f"all {len(rows)} expectations hold", value, (source,))
    breached = critical or rules.fail_on != CRITICAL
    shown = critical or unmet
    told = first_few([_told(row) for row in shown], _NAMED)
    return Answer(
        Standing.BREACHED if breached else Standing.WARNS,
        f"{value}: {told}",
        value,
        (source,),
        f"asrdq sql \"FROM check_results WHERE run_id = '{source.run_id}'\"",
    )


def _told(row: Row) -> str:
    about = f" of {row['column']}" if row["column"] else ""
    many = "" if row["rows"] is None else f" ({row['rows']:,} rows)"
    return f"{row['expectation']}{about}{many}"
