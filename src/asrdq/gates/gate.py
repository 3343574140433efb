"""Ask the gate: evidence, figures, verdict; written down as a decision and a report."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import asrdq
from asrdq.errors import ToolError
from asrdq.gates.changed_audio import with_audio_compared
from asrdq.gates.demands.families import judge_demands
from asrdq.gates.demands.judged import Asked
from asrdq.gates.evidence import UNUSABLE, Evidence, gather
from asrdq.gates.formats.alignment_report import report_body
from asrdq.gates.formats.outcomes import outcome_rows, outcomes
from asrdq.gates.ledgers.waivers import standing_waivers
from asrdq.gates.measures import Measures, measure
from asrdq.gates.policy import Policy, policy_hash, read_policy
from asrdq.gates.tables import DECISIONS
from asrdq.gates.verdict import GateResult, decide
from asrdq.places import Place
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

REPORT_NAME = "alignment_report.json"


def evaluate_gate(
    workspace: Workspace,
    manifest: ManifestVersion,
    *,
    policy_file: Place | None = None,
    report_dir: Place | None = None,
    advance: Callable[[int], None] | None = None,
) -> GateResult:
    """Return the verdict about exactly this content, and write it down.

    A row goes into the table `decisions`, and the files `alignment_report.json` and
    `<manifest>.alignment_report.json` into the report folder; former ones are removed first, so
    that none answers after a gate that failed. Anything missing, broken, stale or contradictory
    gives UNDECIDED, never PROCEED.

    Args:
        workspace: Where the manifest and its audit are.
        manifest: The version asked about.
        policy_file: The policy; by default the one that `asrdq.yaml` names.
        report_dir: Where the report goes, by default `reports` in the workspace.
        advance: Told how many audio files were compared with what was audited.

    Raises:
        UsageError: The policy has mistakes; all of them are listed.
        ToolError: The report cannot be written, or the former one not be removed.
    """
    folder = report_dir or workspace.root / "reports"
    withdraw_reports(folder, manifest.name)
    file = (policy_file or workspace.place(workspace.settings.policy)).resolve()
    policy = read_policy(file)
    parameters = {"policy": str(file), "policy_hash": policy_hash(policy)}
    with workspace.run("gate", manifest, parameters) as run:
        result = assess(workspace, manifest, policy, advance)
        report = write_report(result, folder)
        row = _decision(result, run.run_id, file, report)
        workspace.append("decisions", pa.Table.from_pylist([row], schema=DECISIONS))
    return result


def assess(
    workspace: Workspace,
    manifest: ManifestVersion,
    policy: Policy,
    advance: Callable[[int], None] | None = None,
) -> GateResult:
    """Return the verdict of a policy about exactly this content, and write nothing.

    Args:
        workspace: Where the manifest and its audit are.
        manifest: The version asked about.
        policy: The policy.
        advance: Told how many audio files were compared with what was audited.
    """
    evidence = with_audio_compared(workspace, gather(workspace, manifest), policy.audit, advance)
    measures = _figures(evidence, policy)
    judged = judge_demands(Asked(workspace, manifest, policy, evidence, measures))
    waivers = standing_waivers(workspace, manifest.name)
    return decide(evidence, measures, policy, waivers, judged)


def _figures(evidence: Evidence, policy: Policy) -> Measures | None:
    if evidence.run is None or any(fault.code in UNUSABLE for fault in evidence.faults):
        return None
    return measure(evidence, policy.audit.confidence or 0.95)


def report_paths(folder: Place, name: str) -> tuple[Place, Place]:
    """Return where the report on a manifest is written: under its name, and as the newest one."""
    return folder / f"{name}.{REPORT_NAME}", folder / REPORT_NAME


def withdraw_reports(folder: Place, name: str | None = None) -> None:
    """Remove the former report on a manifest, and the newest one whatever it is about.

    Args:
        folder: Where the reports are.
        name: The manifest; None for one that does not exist.

    Raises:
        ToolError: One of them cannot be removed.
    """
    for path in report_paths(folder, name) if name else [folder / REPORT_NAME]:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ToolError(f"cannot be removed: {error.strerror}", where=str(path)) from error


def write_report(result: GateResult, folder: Place) -> Place:
    """Write the report, each file whole or not at all, and return the one that has the name.

    Raises:
        ToolError: It cannot be written.
    """
    paths = report_paths(folder, result.evidence.manifest.name)
    text = json.dumps(report_body(result), ensure_ascii=False, allow_nan=False, indent=2)
    for path in paths:
        with whole_file(path) as file:
            file.write(text.encode() + b"\n")
    return paths[0]


def evidence_of(result: GateResult) -> list[str]:
    """Return the runs that the demands besides the audit were judged on, `name: run` each."""
    sources = [source for one in result.judged for source in one.answer.sources]
    return sorted({f"{source.name}: {source.run_id}" for source in sources if source.run_id})


def _decision(result: GateResult, run_id: str, policy: Place, report: Place) -> dict[str, Any]:
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
        "waived": [str(waived) for waived in result.waived],
        "rules": outcome_rows(outcomes(result)).to_pylist(),
        "evidence": evidence_of(result),
    }
