"""What the audit alone gives: a verdict by its rate, or what forbids one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from asrdq.audit.reasons import InstrumentStatus
from asrdq.gates.decision import Verdict, band
from asrdq.gates.evidence import Evidence, Finding
from asrdq.gates.ledgers.waivers import Waived, Waivers
from asrdq.gates.measures import Measures
from asrdq.gates.policy import Policy
from asrdq.gates.policy_sections import AuditRules
from asrdq.gates.proof import blind_strata, low_recall, unproven
from asrdq.sampling.deciding import MoreClips
from asrdq.sampling.estimators import Rate


@dataclass(frozen=True)
class AuditRuling:
    """What the audit alone gives.

    Attributes:
        verdict: The verdict.
        reasons: Why.
        notes: What is worth knowing and did not change it.
        waived: What would forbid or worsen it, and a person answers for.
        to_decide: What would decide, where an interval reaches over a limit.
    """

    verdict: Verdict
    reasons: Sequence[Finding]
    notes: Sequence[Finding] = ()
    waived: Sequence[Waived] = field(default_factory=list)
    to_decide: MoreClips | None = None


def rule_on_audit(
    evidence: Evidence, measures: Measures | None, policy: Policy, waivers: Waivers
) -> AuditRuling:
    """Return what the audit gives; whatever forbids a verdict makes it UNDECIDED.

    Args:
        evidence: The audit; each of its faults forbids a verdict.
        measures: Its figures, None where the audit cannot be used.
        policy: The limits.
        waivers: What persons answer for.
    """
    if measures is None:
        return AuditRuling(Verdict.UNDECIDED, evidence.faults)
    broken, notes = _broken_rules(evidence, measures, policy)
    against, waived = waivers.split(broken)
    rate, more = measures.rate(policy.audit.rate), None
    if rate.value is None:
        name = policy.audit.rate
        against.append(Finding("no_rate", f"the {name} rate is not defined: {rate.reason}"))
    elif not against and policy.audit.confidence is not None:
        more, straddling = _straddled(measures, rate, policy.audit)
        against, waived_too = waivers.split(straddling)
        waived += waived_too
    if against or rate.value is None:
        return AuditRuling(Verdict.UNDECIDED, against, notes, waived, more)
    verdict = band(rate.value, policy.audit)
    reasons = [Finding("rate", _reason(verdict, rate, policy.audit))]
    if verdict is Verdict.STOP:
        waived += waivers.split(reasons)[1]
    if waived and (verdict is not Verdict.STOP or "rate" in waivers.valid):
        verdict = Verdict.CAUTION
    return AuditRuling(verdict, reasons, notes, waived)


def _broken_rules(
    evidence: Evidence, measures: Measures, policy: Policy
) -> tuple[list[Finding], list[Finding]]:
    """Return what forbids a verdict, and what is only worth knowing."""
    against = [
        *evidence.faults,
        *blind_strata(measures, evidence),
        *_failures(measures, evidence, policy),
        *low_recall(measures, evidence, policy.instrument),
    ]
    notes = unproven(measures, evidence, policy.instrument)
    if policy.instrument.if_unproven == "undecided":
        return [*against, *notes], []
    return against, notes


def _reason(verdict: Verdict, rate: Rate, rules: AuditRules) -> str:
    caution, stop = f"{100 * rules.caution_from:g} %", f"{100 * rules.stop_above:g} %"
    where = {
        Verdict.PROCEED: f"below {caution}",
        Verdict.CAUTION: f"between {caution} and {stop}",
        Verdict.STOP: f"above {stop}",
    }[verdict]
    return f"the {rules.rate} rate of low quality is {rate}, {where}"


def _failures(measures: Measures, evidence: Evidence, policy: Policy) -> list[Finding]:
    names = {stratum.name for stratum in measures.able}
    able = [clip for clip in evidence.clips if clip["stratum"] in names]
    kinds = Counter(c["instrument"] for c in able if c["instrument"] != InstrumentStatus.OK)
    failed = sum(kinds.values())
    limit = policy.instrument.maximum_failures
    if failed <= limit * len(able):
        return []
    what = ", ".join(f"{count:,} × {kind}" for kind, count in kinds.most_common())
    message = (
        f"the instrument could not judge {failed:,} of {len(able):,} clips "
        f"({100 * failed / len(able):.1f} %, at most {100 * limit:g} %): {what}"
    )
    run_id = evidence.run["run_id"] if evidence.run else ""
    query = (
        "SELECT utt_id, instrument FROM audits "
        f"WHERE run_id = '{run_id}' AND instrument <> '{InstrumentStatus.OK}'"
    )
    return [Finding("instrument_failed", message, f'asrdq sql "{query}"')]


def _straddled(
    measures: Measures, rate: Rate, rules: AuditRules
) -> tuple[MoreClips | None, list[Finding]]:
    """Return what would decide, where the interval reaches over a limit of the policy."""
    found = [measures.clips_to_decide(rules.rate, limit) for limit in rules.limits()]
    more = [one for one in found if one is not None]
    if not more:
        return None, []
    hardest = max(more, key=lambda m: float("inf") if m.total is None else m.total)
    named = " and ".join(f"{100 * one.limit:g} %" for one in more)
    message = f"the interval of the {rules.rate} rate, {rate}, reaches over {named}"
    return hardest, [Finding("straddles", message, hardest.explanation)]
