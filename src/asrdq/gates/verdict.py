"""One verdict from the figures of an audit, a policy, and what speaks against deciding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pyarrow as pa

from asrdq.audit.reasons import InstrumentStatus
from asrdq.gates.alignment_report import report_body
from asrdq.gates.decision import Decision, Verdict, band
from asrdq.gates.evidence import Evidence, Finding
from asrdq.gates.measures import BLIND, Measures, StratumMeasure
from asrdq.gates.policy import AuditRules, Policy
from asrdq.gates.proof import blind_strata, low_recall, unproven
from asrdq.gates.telling import sentences
from asrdq.gates.waivers import Waivers
from asrdq.results import Result
from asrdq.sampling.deciding import MoreClips
from asrdq.sampling.estimators import Rate


@dataclass(frozen=True)
class GateResult(Decision, Result):
    """A verdict as a library function and a verb return it; the fields are `Decision`'s."""

    main_table: ClassVar[str] = "strata"

    def arrow(self) -> pa.Table:
        """Return one row a stratum, rates in percent."""
        strata = self.measures.strata if self.measures else ()
        rows = [{**_stratum_row(s), "alone": self.alone(s).value} for s in strata]
        return pa.Table.from_pylist(rows, schema=_STRATA)

    def to_dict(self) -> dict[str, Any]:
        """Return the machine-readable report, without the single clips."""
        return report_body(self, with_clips=False)

    def summary(self) -> str:
        """Return verdict, reasons and figures in plain text."""
        told = (f"  {' '.join(sentence.split())}" for sentence in sentences(self))
        return "\n".join([f"{self.verdict} for {self.evidence.manifest}", *told])


_STRATA = pa.schema(
    [
        ("stratum", pa.string()),
        ("rows", pa.int64()),
        ("audited", pa.int64()),
        ("judged", pa.int64()),
        ("low", pa.int64()),
        ("low %", pa.float64()),
        ("from %", pa.float64()),
        ("to %", pa.float64()),
        ("mean coverage", pa.float64()),
        ("length mismatches", pa.int64()),
        ("not judged", pa.int64()),
        ("instrument", pa.string()),
        ("alone", pa.string()),
    ]
)


def _stratum_row(stratum: StratumMeasure) -> dict[str, Any]:
    rate = stratum.rate
    return {
        "stratum": stratum.name,
        "rows": stratum.population,
        "audited": stratum.audited,
        "judged": stratum.judged,
        "low": stratum.low,
        "low %": None if rate.value is None else 100 * rate.value,
        "from %": 100 * rate.low,
        "to %": 100 * rate.high,
        "mean coverage": stratum.mean_coverage,
        "length mismatches": stratum.length_mismatches,
        "not judged": stratum.not_judged,
        "instrument": stratum.calibration or "not proven",
    }


def decide(
    evidence: Evidence, measures: Measures | None, policy: Policy, waivers: Waivers | None = None
) -> GateResult:
    """Return the verdict of a policy; whatever forbids one makes it UNDECIDED.

    A rule that was waived neither forbids a verdict nor stops; the verdict is then CAUTION at best.

    Args:
        evidence: The audit; each of its faults forbids a verdict.
        measures: Its figures, None where the audit cannot be used.
        policy: The limits.
        waivers: What persons answer for, today and for this manifest.
    """
    waivers = waivers or Waivers()
    if measures is None:
        undecided = _result(Verdict.UNDECIDED, evidence.faults, measures, evidence, policy)
        return replace(undecided, notes=tuple(waivers.problems))
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
        verdict, reasons = Verdict.UNDECIDED, against
    else:
        verdict, more = band(rate.value, policy.audit), None
        reasons = [Finding("rate", _reason(verdict, rate, policy.audit))]
        if verdict is Verdict.STOP:
            waived += waivers.split(reasons)[1]
        if waived and (verdict is not Verdict.STOP or "rate" in waivers.valid):
            verdict = Verdict.CAUTION
    asked = reasons if verdict in (Verdict.STOP, Verdict.UNDECIDED) else []
    result = _result(verdict, reasons, measures, evidence, policy)
    notes = [*notes, *waivers.remarks(asked)]
    return replace(result, notes=tuple(notes), to_decide=more, waived=tuple(waived))


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


def _result(
    verdict: Verdict,
    reasons: Sequence[Finding],
    measures: Measures | None,
    evidence: Evidence,
    policy: Policy,
) -> GateResult:
    strata = measures.strata if measures else ()
    risky = [
        s.name
        for s in strata
        if s.rate.value is not None and s.rate.value > policy.audit.stratum_risk
    ]
    return GateResult(
        verdict=verdict,
        reasons=tuple(reasons),
        notes=(),
        risks=tuple(risky),
        deciding=policy.audit.rate,
        measures=measures,
        to_decide=None,
        evidence=evidence,
        policy=policy,
    )


def _reason(verdict: Verdict, rate: Rate, rules: AuditRules) -> str:
    caution, stop = f"{100 * rules.caution_from:g} %", f"{100 * rules.stop_above:g} %"
    where = {
        Verdict.PROCEED: f"below {caution}",
        Verdict.CAUTION: f"between {caution} and {stop}",
        Verdict.STOP: f"above {stop}",
    }[verdict]
    return f"the {rules.rate} rate of low quality is {rate}, {where}"


def _failures(measures: Measures, evidence: Evidence, policy: Policy) -> list[Finding]:
    blind = {s.name for s in measures.strata if s.calibration in BLIND}
    able = [clip for clip in evidence.clips if clip["stratum"] not in blind]
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
