"""What suites of expectations said of a manifest, and whether that still answers for it."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asrdq.checks import suite_names
from asrdq.checks.suites import CRITICAL
from asrdq.checks.tables import (
    CHECK_RESULTS,
    CHECK_RESULTS_SCHEMA,
    CHECKS,
    CHECKS_SCHEMA,
)
from asrdq.places import file_digest, place
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.places import Place
    from asrdq.workspace import ManifestVersion, Workspace

EXAMPLES: Final = 5
"""Failing rows that the page shows of each expectation."""

FAILED, ERROR, WARNED, HELD = "failed", "not judged", "warned", "held"
_TONES: Final = {FAILED: "stop", ERROR: "undecided", WARNED: "caution", HELD: "ok"}


@dataclass(frozen=True)
class Line:
    """One expectation of a suite.

    Attributes:
        row: Its row of the table `checks`.
        examples: The first rows that fail it, each with `utt_id` and `value`.
    """

    row: dict[str, Any]
    examples: tuple[dict[str, Any], ...]

    @property
    def state(self) -> str:
        """How it came out: `failed`, `not judged`, `warned` or `held`."""
        if self.row["error"] is not None:
            return ERROR
        if self.row["success"]:
            return HELD
        return FAILED if self.row["severity"] == CRITICAL else WARNED

    @property
    def tone(self) -> str:
        """Name of the colour of its state."""
        return _TONES[self.state]


@dataclass(frozen=True)
class CheckedSuite:
    """The newest check of this content by one suite.

    Attributes:
        name: The suite.
        run_id: The run of the check.
        version: The version that was checked, as `train@3`.
        ended: When (UTC).
        remarks: What speaks against believing it.
        lines: Its expectations: what fails first, then in the order of the suite.
    """

    name: str
    run_id: str
    version: str
    ended: dt.datetime
    remarks: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def unmet(self) -> list[Line]:
        """The expectations that do not hold or could not be judged."""
        return [line for line in self.lines if line.state != HELD]

    @property
    def met(self) -> list[Line]:
        """The expectations that hold."""
        return [line for line in self.lines if line.state == HELD]

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """State, tone and number of expectations, the worst first."""
        counted = Counter(line.state for line in self.lines)
        return [(state, tone, counted[state]) for state, tone in _TONES.items() if counted[state]]


@dataclass(frozen=True)
class Checked:
    """All checks that a page tells of.

    Attributes:
        suites: Those of this content.
        old: Suites whose checks are all of other content: name and version of the newest.
    """

    suites: tuple[CheckedSuite, ...]
    old: tuple[tuple[str, str], ...]


def find_checked(workspace: Workspace, manifest: ManifestVersion) -> Checked | None:
    """Return what suites said of a manifest, None where it was never checked."""
    runs = _runs(workspace, manifest.name)
    if not runs:
        return None
    same = [run for run in runs if run["fingerprint"] == manifest.fingerprint]
    current = _newest_by_suite(same)
    old = {name: run for name, run in _newest_by_suite(runs).items() if name not in current}
    lines = _lines(workspace, [run["run_id"] for run in current.values()])
    suites = (
        _suite(workspace, name, run, lines.get(run["run_id"], []), manifest)
        for name, run in sorted(current.items())
    )
    return Checked(tuple(suites), tuple((name, _version(run)) for name, run in sorted(old.items())))


def _runs(workspace: Workspace, name: str) -> list[dict[str, Any]]:
    """Return the finished checks of a manifest by its name, the newest first."""
    if not workspace.table_exists("runs"):
        return []
    found: list[dict[str, Any]] = workspace.query(
        "SELECT run_id, manifest, manifest_version, fingerprint, ended, parameters FROM runs "
        "WHERE command = 'check' AND state = 'done' AND manifest = $name "
        "ORDER BY started DESC, run_id DESC",
        {"name": name},
    ).to_pylist()
    for run in found:
        run["parameters"] = json.loads(run["parameters"] or "{}")
    return found


def _newest_by_suite(runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        found.setdefault(str(run["parameters"].get("suite")), run)
    return found


def _version(run: dict[str, Any]) -> str:
    return f"{run['manifest']}@{run['manifest_version']}"


def _lines(workspace: Workspace, run_ids: Sequence[str]) -> dict[str, list[Line]]:
    """Return the expectations of each run with their examples, in the order of the suites."""
    if not run_ids:
        return {}
    where = f"run_id IN ({', '.join(map(quote_text, run_ids))})"
    examples: dict[tuple[str, int], list[dict[str, Any]]] = {}
    failing = workspace.read(CHECK_RESULTS, where, schema=CHECK_RESULTS_SCHEMA).to_pylist()
    for row in sorted(failing, key=lambda row: str(row["utt_id"])):
        examples.setdefault((row["run_id"], row["position"]), []).append(row)
    found: dict[str, list[Line]] = {}
    for row in workspace.read(CHECKS, where, schema=CHECKS_SCHEMA).to_pylist():
        some = examples.get((row["run_id"], row["position"]), [])[:EXAMPLES]
        found.setdefault(row["run_id"], []).append(Line(row, tuple(some)))
    return found


def _suite(
    workspace: Workspace,
    name: str,
    run: dict[str, Any],
    lines: Sequence[Line],
    manifest: ManifestVersion,
) -> CheckedSuite:
    order = list(_TONES)
    ranked = sorted(lines, key=lambda line: (order.index(line.state), line.row["position"] or 0))
    remarks = [_changed(workspace, run["parameters"])]
    if not lines:
        remarks.append(f"The table '{CHECKS}' has no row of this check: nothing is proven.")
    if run["manifest_version"] != manifest.version:
        remarks.append(
            f"It was of {_version(run)}, whose rows have the same fingerprint as {manifest}."
        )
    return CheckedSuite(
        name=name,
        run_id=str(run["run_id"]),
        version=_version(run),
        ended=run["ended"],
        remarks=tuple(remark for remark in remarks if remark),
        lines=tuple(ranked),
    )


def _changed(workspace: Workspace, parameters: dict[str, Any]) -> str:
    """Return what happened to the file of a suite since, nothing where it is the same."""
    stated = place(str(parameters.get("file")))
    known = suite_names(workspace)
    file: Place | None = stated if stated.is_file() else known.get(str(parameters.get("suite")))
    if file is None:
        return "The file of the suite is gone since."
    same = file_digest(file) == parameters.get("suite_hash")
    return "" if same else "The suite has changed since: its present expectations were not asked."
