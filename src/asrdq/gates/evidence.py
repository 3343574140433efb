"""What the gate has to go on: the audit of exactly this content, and what is wrong with it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from asrdq.audit.reasons import InstrumentStatus
from asrdq.audit.tables import AUDITS, CALIBRATIONS, DETECTIONS
from asrdq.sampling import SamplingPlan, strata_hold
from asrdq.sampling.tables import STRATA

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

UNUSABLE = frozenset({"contradiction", "broken_table", "missing_table", "empty_table"})
"""Faults of the evidence after which its figures mean nothing and are not shown."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason for a verdict.

    Args:
        code: Stable name, such as `no_audit`.
        message: What was found, in a sentence.
        hint: What to do about it, a command where there is one.
    """

    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} → {self.hint}" if self.hint else self.message


@dataclass(frozen=True)
class Evidence:
    """The tables of one audit, as rows.

    Attributes:
        manifest: The manifest version asked about.
        run: The row of the audit in `runs`, None where no finished one answers.
        plan: How its sample was drawn; None where that is not known.
        strata: Rows of `strata`: every stratum of the manifest with its population.
        clips: Rows of `audits`.
        detections: Rows of `detections`.
        calibrations: Rows of `calibrations`.
        faults: Everything that forbids a verdict.
        notes: What is worth knowing and forbids none.
    """

    manifest: ManifestVersion
    run: dict[str, Any] | None = None
    plan: SamplingPlan | None = None
    strata: list[dict[str, Any]] = field(default_factory=list)
    clips: list[dict[str, Any]] = field(default_factory=list)
    detections: list[dict[str, Any]] = field(default_factory=list)
    calibrations: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    @property
    def parameters(self) -> dict[str, Any]:
        """The settings of the audit, as its run has them."""
        return _parameters(self.run) if self.run else {}


def gather(workspace: Workspace, manifest: ManifestVersion) -> Evidence:
    """Return the evidence about a manifest version; what is missing or broken is a fault of it."""
    if manifest.rows == 0:
        empty = Finding("empty_manifest", f"{manifest} has no rows", "ingest a file with rows")
        return Evidence(manifest, faults=[empty])
    run, missing = _audit_run(workspace, manifest)
    if run is None:
        return Evidence(manifest, faults=missing)
    run_id = str(run["run_id"])
    sample_run_id = _sample_run_id(run)
    tables = {
        "clips": ("audits", run_id, AUDITS),
        "strata": ("strata", sample_run_id, STRATA),
        "detections": ("detections", run_id, DETECTIONS),
        "calibrations": ("calibrations", run_id, CALIBRATIONS),
    }
    faults: list[Finding] = []
    again = f"asrdq audit {manifest.name}"
    rows = {name: _rows(workspace, *table, again, faults) for name, table in tables.items()}
    plan = _sample_plan(workspace, sample_run_id)
    if not faults:
        faults = _contradictions(plan, rows, again)
    return Evidence(manifest, run, plan, **rows, faults=faults, notes=[])


def _parameters(run: dict[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = json.loads(run["parameters"] or "{}")
    return parameters


def _audit_run(
    workspace: Workspace, manifest: ManifestVersion
) -> tuple[dict[str, Any] | None, list[Finding]]:
    audit = f"asrdq audit {manifest.name}"
    if not workspace.table_exists("runs"):
        return None, [Finding("no_audit", f"{manifest} was never audited", audit)]
    runs = workspace.query(
        "SELECT * FROM runs WHERE command = 'audit' AND manifest = $name "
        "ORDER BY started DESC, run_id DESC",
        {"name": manifest.name},
    ).to_pylist()
    current = [run for run in runs if run["fingerprint"] == manifest.fingerprint]
    done = [run for run in current if run["state"] == "done"]
    for run in done:
        if _strata_stand(workspace, manifest, run):
            return run, []
    if done:
        message = (
            f"the strata of {manifest} are not those that the audit {done[0]['run_id']} drew from"
        )
        return None, [Finding("changed_strata", message, audit)]
    if current:
        state = current[0]["state"]
        message = f"the audit {current[0]['run_id']} of {manifest} is {state}, not done"
        return None, [Finding("unfinished_audit", message, audit)]
    if runs:
        message = (
            f"the newest audit ({runs[0]['run_id']}) is of {manifest.name}"
            f"@{runs[0]['manifest_version']}, which has other content than {manifest}"
        )
        return None, [Finding("stale_audit", message, audit)]
    return None, [Finding("no_audit", f"{manifest} was never audited", audit)]


def _sample_run_id(run: dict[str, Any]) -> str:
    return str(_parameters(run).get("sample_run_id"))


def _sample_plan(workspace: Workspace, sample_run_id: str) -> SamplingPlan | None:
    found = workspace.query(
        "SELECT parameters FROM runs WHERE command = 'sample' AND run_id = $run",
        {"run": sample_run_id},
    ).to_pylist()
    return SamplingPlan.from_parameters(json.loads(found[0]["parameters"])) if found else None


def _strata_stand(workspace: Workspace, manifest: ManifestVersion, run: dict[str, Any]) -> bool:
    """Return whether the strata that an audit drew from are those of the manifest asked about.

    They are made of metadata, which may change without the fingerprint. Where the tables are too
    broken to tell, that is found when they are read.
    """
    sample_run_id = _sample_run_id(run)
    plan = _sample_plan(workspace, sample_run_id)
    if plan is None or not workspace.table_exists("strata"):
        return True
    strata = workspace.read("strata", where=f"run_id = '{sample_run_id}'")
    broken = not strata.num_rows or not set(STRATA.names) <= set(strata.column_names)
    return broken or strata_hold(workspace, manifest, plan, strata)


def _rows(
    workspace: Workspace,
    table: str,
    run_id: str,
    schema: pa.Schema,
    again: str,
    faults: list[Finding],
) -> list[dict[str, Any]]:
    """Return the rows of a run; a missing table, column, type or row becomes a fault."""
    if not workspace.table_exists(table):
        faults.append(Finding("missing_table", f"there is no table '{table}'", again))
        return []
    found = workspace.query(f"SELECT * FROM {table} WHERE run_id = $run", {"run": run_id})
    wrong = []
    for wanted in schema:
        if wanted.name not in found.column_names:
            wrong.append(f"has no column '{wanted.name}'")
        elif not _same_kind(found.schema.field(wanted.name).type, wanted.type):
            kind = found.schema.field(wanted.name).type
            wrong.append(f"has {kind} in column '{wanted.name}', not {wanted.type}")
    if wrong:
        message = f"table '{table}' {'; '.join(wrong)}"
        faults.append(Finding("broken_table", message, again))
        return []
    if found.num_rows == 0:
        message = f"table '{table}' has no rows of run {run_id}"
        faults.append(Finding("empty_table", message, again))
    rows: list[dict[str, Any]] = found.select(schema.names).to_pylist()
    return rows


def _same_kind(found: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_string(wanted):
        return bool(pa.types.is_string(found) or pa.types.is_large_string(found))
    if pa.types.is_list(wanted):
        is_list = pa.types.is_list(found) or pa.types.is_large_list(found)
        return bool(is_list) and _same_kind(found.value_type, wanted.value_type)
    if pa.types.is_integer(wanted):
        return bool(pa.types.is_integer(found))
    return bool(found == wanted)


def _contradictions(
    plan: SamplingPlan | None, rows: Mapping[str, Sequence[dict[str, Any]]], again: str
) -> list[Finding]:
    """Return what no undisturbed audit writes: tables that were edited, or cut short."""
    strata, clips = rows["strata"], rows["clips"]
    wrong = [] if plan else ["it names no sample that was drawn"]
    if any(not 0 <= row["found"] <= row["clips"] for row in rows["detections"]):
        wrong.append("faults are found more often than they were planted")
    ids = Counter(clip["utt_id"] for clip in clips)
    twice = sum(count > 1 for count in ids.values())
    if twice:
        wrong.append(f"{twice:,} clips stand in it twice")
    drawn = {row["stratum"]: row["drawn_rows"] for row in strata}
    audited = Counter(clip["stratum"] for clip in clips)
    for name in sorted(set(drawn) | set(audited), key=str):
        if drawn.get(name, 0) != audited.get(name, 0):
            wrong.append(
                f"{audited.get(name, 0):,} clips of stratum '{name}' are audited and "
                f"{drawn.get(name, 0):,} were drawn"
            )
    bad = Counter(problem for clip in clips if (problem := _impossible(clip)))
    wrong += [f"{count:,} clips {problem}" for problem, count in bad.items()]
    return [Finding("contradiction", f"the audit contradicts itself: {w}", again) for w in wrong]


def _impossible(clip: dict[str, Any]) -> str | None:
    """Return what is impossible about a judged clip, None where all is well."""
    if clip["instrument"] is None:
        return "do not say whether the instrument could judge them"
    if clip["instrument"] != InstrumentStatus.OK:
        return None if clip["low_quality"] is None else "are judged by an instrument that failed"
    if clip["low_quality"] is None:
        return "have no judgement"
    if clip["low_quality"] != bool(clip["reasons"]):
        return "are of low quality without a reason, or have a reason and are not"
    for name in ("coverage", "text_coverage", "speech_coverage"):
        value = clip[name]
        broken = value is not None and not (math.isfinite(value) and -1e-9 <= value <= 1 + 1e-9)
        if broken or (value is None and not clip["low_quality"]):
            return f"have no possible {name}"
    return None
