"""The verdict as the page tells it: the gate's own, and only while it answers for this audit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.gates.changed_audio import CHANGED_AUDIO, with_audio_compared
from asrdq.gates.decision import Verdict
from asrdq.gates.demands.families import judge_demands
from asrdq.gates.demands.judged import Asked
from asrdq.gates.evidence import Finding
from asrdq.gates.formats.alignment_report import recommendation
from asrdq.gates.formats.outcomes import Outcome, outcomes
from asrdq.gates.ledgers.waivers import Waived, standing_waivers
from asrdq.gates.measures import Measures
from asrdq.gates.policy import Policy, policy_hash, read_policy
from asrdq.gates.verdict import GateResult, decide
from asrdq.places import place, within

if TYPE_CHECKING:
    from asrdq.reporting.subject import Subject
    from asrdq.workspace import Workspace

_UNDECIDED = "The evidence does not decide. What would decide it stands below."


@dataclass(frozen=True)
class Ruling:
    """A verdict, or why there is none.

    Attributes:
        verdict: None where no verdict answers for this audit.
        meaning: What it means for the reader, in a sentence or two.
        reasons: What decided, or what stands against a verdict, each with what to do.
        notes: What is worth knowing and changed nothing.
        waived: What persons answer for, with their waivers.
        outcomes: Each rule of the gate and how it came out; none without a verdict, or where the
            evidence has changed since it was UNDECIDED.
        risks: Strata with a larger share of low quality than the policy likes.
        deciding: Name of the rate that decides: `sample`, `population` or `corrected`.
        measures: The figures.
        policy: The policy whose limits the page shows.
        policy_file: Where it was read, relative to the workspace if it lies there.
        run_id: The run of the gate; None without a verdict.
        decided: When the gate decided (UTC); None without a verdict.
    """

    verdict: Verdict | None
    meaning: str
    reasons: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    waived: tuple[Waived, ...]
    outcomes: tuple[Outcome, ...]
    risks: tuple[str, ...]
    deciding: str
    measures: Measures
    policy: Policy
    policy_file: str
    run_id: str | None
    decided: dt.datetime | None

    @property
    def policy_digest(self) -> str:
        """Digest of what the policy says."""
        return policy_hash(self.policy)


def find_ruling(
    workspace: Workspace, subject: Subject, advance: Callable[[int], None] | None = None
) -> Ruling:
    """Return the newest verdict of the gate if it answers for exactly this audit.

    A verdict about another audit, under a policy that has changed, on audio that has changed or
    on tables that now say something else, is none; the page then says so and what to do.

    Args:
        workspace: Where the tables and the audio are.
        subject: The audit.
        advance: Told how many audio files were compared with what was audited.

    Raises:
        UsageError: The policy cannot be read.
    """
    decision = _newest_decision(workspace, subject)
    default = workspace.place(workspace.settings.policy)
    decided_by = place(decision["policy"]) if decision else default
    file = decided_by if decided_by.is_file() else default
    shown = within(file, workspace.root) or str(file)
    policy = read_policy(file)
    measures = subject.measures(policy.audit.confidence or 0.95)
    evidence = with_audio_compared(workspace, subject.evidence, policy.audit, advance)
    judged = judge_demands(Asked(workspace, subject.manifest, policy, evidence, measures))
    waivers = standing_waivers(workspace, subject.manifest.name)
    result = decide(evidence, measures, policy, waivers, judged)
    against = _against(decision, result, subject)
    if decision is None or against is not None:
        return _ruling(None, against or "", (), result, measures, shown, None)
    reasons = _reasons(decision, result, subject)
    verdict = Verdict(decision["verdict"])
    meaning = _UNDECIDED if verdict is Verdict.UNDECIDED else recommendation(result)
    return _ruling(verdict, meaning, reasons, result, measures, shown, decision)


def _newest_decision(workspace: Workspace, subject: Subject) -> dict[str, Any] | None:
    if not workspace.table_exists("decisions"):
        return None
    rows: list[dict[str, Any]] = workspace.query(
        "SELECT * FROM decisions WHERE manifest = $name AND fingerprint = $fingerprint "
        "ORDER BY decided DESC LIMIT 1",
        {"name": subject.manifest.name, "fingerprint": subject.manifest.fingerprint},
    ).to_pylist()
    return rows[0] if rows else None


def _against(decision: dict[str, Any] | None, result: GateResult, subject: Subject) -> str | None:
    """Return why the newest decision does not answer for what the page shows, if it does not."""
    if decision is None:
        return "The gate has not been asked about this audit."
    if decision["audit_run_id"] != subject.run_id:
        return "The newest verdict is about an earlier audit."
    if decision["policy_hash"] != policy_hash(result.policy):
        return "The policy has changed since the newest verdict."
    if decision["verdict"] == Verdict.UNDECIDED:
        return None
    if any(reason.code == CHANGED_AUDIO for reason in result.reasons):
        return "The audio has changed since the newest verdict."
    if decision["verdict"] != result.verdict:
        return "The tables no longer say what the gate decided on."
    return None


def _reasons(decision: dict[str, Any], result: GateResult, subject: Subject) -> tuple[Finding, ...]:
    """Return the reasons as they were written down, with the hints that belong to them."""
    hints = {reason.message: reason.hint for reason in (*result.reasons, *result.notes)}
    reasons = []
    for line in decision["reasons"]:
        code, _, message = line.partition(": ")
        again = f"asrdq audit {subject.manifest.name}" if code == CHANGED_AUDIO else ""
        reasons.append(Finding(code, message, hints.get(message, again)))
    return tuple(reasons)


def _ruling(
    verdict: Verdict | None,
    meaning: str,
    reasons: tuple[Finding, ...],
    result: GateResult,
    measures: Measures,
    policy_file: str,
    decision: dict[str, Any] | None,
) -> Ruling:
    return Ruling(
        verdict=verdict,
        meaning=meaning,
        reasons=reasons,
        notes=result.notes,
        waived=result.waived,
        outcomes=tuple(outcomes(result)) if verdict == result.verdict else (),
        risks=result.risks,
        deciding=result.deciding,
        measures=measures,
        policy=result.policy,
        policy_file=policy_file,
        run_id=decision["run_id"] if decision else None,
        decided=decision["decided"] if decision else None,
    )
