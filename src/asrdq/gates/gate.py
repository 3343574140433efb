"""Ask the gate: evidence, figures, verdict; written down as a decision and a report."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import asrdq
from asrdq.audio import file_hashes
from asrdq.gates.alignment_report import report_body
from asrdq.gates.evidence import Evidence, Finding, gather
from asrdq.gates.measures import Measures, measure
from asrdq.gates.policy import Policy, policy_hash, read_policy
from asrdq.gates.tables import DECISIONS
from asrdq.gates.verdict import GateResult, decide
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

REPORT_NAME = "alignment_report.json"
_BLOCK = 256
UNUSABLE = frozenset({"contradiction", "broken_table", "missing_table", "empty_table"})
"""Faults of the evidence after which its figures mean nothing and are not shown."""


def evaluate_gate(
    workspace: Workspace,
    manifest: ManifestVersion,
    *,
    policy_file: Path | None = None,
    report_dir: Path | None = None,
    advance: Callable[[int], None] | None = None,
) -> GateResult:
    """Return the verdict about exactly this content, and write it down.

    A row goes into the table `decisions` and a file `alignment_report.json` into the report
    folder. Anything missing, broken, stale or contradictory gives UNDECIDED, never PROCEED.

    Args:
        workspace: Where the manifest and its audit are.
        manifest: The version asked about.
        policy_file: The policy; by default the one that `asrdq.yaml` names.
        report_dir: Where the report goes, by default `reports` in the workspace.
        advance: Told how many audio files were compared with what was audited.

    Raises:
        UsageError: The policy has mistakes; all of them are listed.
        ToolError: The report cannot be written.
    """
    file = (policy_file or workspace.root / workspace.settings.policy).resolve()
    policy = read_policy(file)
    folder = report_dir or workspace.root / "reports"
    parameters = {"policy": str(file), "policy_hash": policy_hash(policy)}
    with workspace.run("gate", manifest, parameters) as run:
        evidence = gather(workspace, manifest)
        evidence = _with_changed_audio(workspace, evidence, advance)
        result = decide(evidence, _figures(evidence, policy), policy)
        report = write_report(result, folder)
        row = _decision(result, run.run_id, file, report)
        workspace.append("decisions", pa.Table.from_pylist([row], schema=DECISIONS))
    return result


def _figures(evidence: Evidence, policy: Policy) -> Measures | None:
    if evidence.run is None or any(fault.code in UNUSABLE for fault in evidence.faults):
        return None
    return measure(evidence, policy.audit.confidence or 0.95)


def _with_changed_audio(
    workspace: Workspace, evidence: Evidence, advance: Callable[[int], None] | None
) -> Evidence:
    """Compare the audited files with what they hold now: a changed file is a fault."""
    paths = [workspace.audio_file(evidence.manifest, clip["audio_path"]) for clip in evidence.clips]
    changed = []
    for start in range(0, len(paths), _BLOCK):
        block = slice(start, start + _BLOCK)
        now = file_hashes(paths[block])
        changed += [
            clip["utt_id"]
            for clip, path in zip(evidence.clips[block], paths[block], strict=True)
            if now[path] != clip["audio_hash"]
        ]
        if advance:
            advance(len(paths[block]))
    if not changed:
        return evidence
    named = ", ".join(changed[:3]) + (" …" if len(changed) > 3 else "")
    message = f"the audio of {len(changed):,} audited clips has changed since: {named}"
    fault = Finding("changed_audio", message, f"asrdq audit {evidence.manifest.name}")
    return replace(evidence, faults=[*evidence.faults, fault])


def write_report(result: GateResult, folder: Path) -> Path:
    """Write `alignment_report.json`, whole or not at all, and return its path.

    Raises:
        ToolError: It cannot be written.
    """
    path = folder / REPORT_NAME
    text = json.dumps(report_body(result), ensure_ascii=False, allow_nan=False, indent=2)
    with whole_file(path) as file:
        file.write(text.encode() + b"\n")
    return path


def _decision(result: GateResult, run_id: str, policy: Path, report: Path) -> dict[str, Any]:
    manifest, measures = result.evidence.manifest, result.measures
    run = result.evidence.run
    return {
        "run_id": run_id,
        "decided": dt.datetime.now(dt.UTC),
        "manifest": manifest.name,
        "manifest_version": manifest.version,
        "fingerprint": manifest.fingerprint,
        "verdict": str(result.verdict),
        "reasons": [f"{reason.code}: {reason.message}" for reason in result.reasons],
        "risk_strata": list(result.risks),
        "deciding_rate": result.deciding,
        "rate": result.rate.value,
        "low": result.rate.low,
        "high": result.rate.high,
        "sample_rate": measures.sample_rate.value if measures else None,
        "population_rate": measures.population_rate.value if measures else None,
        "corrected_rate": measures.corrected_rate.value if measures else None,
        "audit_run_id": run["run_id"] if run else None,
        "policy": str(policy),
        "policy_hash": policy_hash(result.policy),
        "asrdq_version": asrdq.__version__,
        "report": str(report),
    }
