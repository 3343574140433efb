"""One verdict: the audit's, and how every other demand of the policy came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from asrdq.gates.audit_ruling import AuditRuling, rule_on_audit
from asrdq.gates.decision import Decision, Verdict
from asrdq.gates.demands.judged import Judged, Standing
from asrdq.gates.evidence import Evidence, Finding
from asrdq.gates.formats.alignment_report import report_body
from asrdq.gates.formats.telling import sentences
from asrdq.gates.ledgers.waivers import Waived, Waivers
from asrdq.gates.measures import Measures, StratumMeasure
from asrdq.gates.policy import Policy
from asrdq.results import Result


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
    evidence: Evidence,
    measures: Measures | None,
    policy: Policy,
    waivers: Waivers | None = None,
    judged: Sequence[Judged] = (),
) -> GateResult:
    """Return the verdict of a policy.

    UNDECIDED goes before STOP: a person may override a STOP, and nobody can answer for what was
    not measured. A rule that was waived neither forbids a verdict nor stops; the verdict is then
    CAUTION at best.

    Args:
        evidence: The audit; each of its faults forbids a verdict.
        measures: Its figures, None where the audit cannot be used.
        policy: The limits.
        waivers: What persons answer for, today and for this manifest.
        judged: The other demands of the policy.
    """
    waivers = waivers or Waivers()
    audit = rule_on_audit(evidence, measures, policy, waivers)
    stand, waived = _split(judged, waivers)
    verdict = max(
        [audit.verdict, *(_VERDICTS[standing] for standing, _ in stand)], key=_WORST.index
    )
    if waived and verdict is Verdict.PROCEED:
        verdict = Verdict.CAUTION
    reasons = _reasons(verdict, audit, stand)
    asked = reasons if verdict in (Verdict.STOP, Verdict.UNDECIDED) else []
    remarks = waivers.problems if measures is None else waivers.remarks(asked)
    strata = measures.strata if measures else ()
    return GateResult(
        verdict=verdict,
        reasons=tuple(reasons),
        notes=(*audit.notes, *evidence.notes, *remarks),
        risks=tuple(
            stratum.name
            for stratum in strata
            if stratum.rate.value is not None and stratum.rate.value > policy.audit.stratum_risk
        ),
        deciding=policy.audit.rate,
        measures=measures,
        to_decide=audit.to_decide,
        evidence=evidence,
        policy=policy,
        waived=(*audit.waived, *waived),
        of_audit=audit.verdict,
        judged=tuple(judged),
    )


_WORST = (Verdict.PROCEED, Verdict.CAUTION, Verdict.STOP, Verdict.UNDECIDED)
_VERDICTS = {
    Standing.HOLDS: Verdict.PROCEED,
    Standing.NOT_REACHED: Verdict.PROCEED,
    Standing.WARNS: Verdict.CAUTION,
    Standing.BREACHED: Verdict.STOP,
    Standing.OPEN: Verdict.UNDECIDED,
    Standing.UNKNOWN: Verdict.UNDECIDED,
}
"""What a demand that came out so makes of the verdict, at best."""


def _split(
    judged: Sequence[Judged], waivers: Waivers
) -> tuple[list[tuple[Standing, Finding]], list[Waived]]:
    """Return the demands that stand against PROCEED, and those that a person answers for.

    Nobody can answer for evidence that is not there.
    """
    stand, waived = [], []
    for one in judged:
        standing = one.answer.standing
        if _VERDICTS[standing] is Verdict.PROCEED:
            continue
        waiver = waivers.valid.get(one.rule)
        if waiver is None or standing is Standing.UNKNOWN:
            stand.append((standing, one.finding))
        else:
            waived.append(Waived(one.finding, waiver))
    return stand, waived


def _reasons(
    verdict: Verdict, audit: AuditRuling, stand: Sequence[tuple[Standing, Finding]]
) -> list[Finding]:
    """Return why, what decided first; the rate of the audit is always told."""
    ranked = [(audit.verdict, finding) for finding in audit.reasons]
    ranked += [(_VERDICTS[standing], finding) for standing, finding in stand]
    ranked.sort(key=lambda one: (one[0] is not verdict, -_WORST.index(one[0])))
    return [finding for _, finding in ranked]
