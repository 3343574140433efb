"""What a verdict is: the answer, its reasons, and the evidence it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from asrdq.audit.reasons import InstrumentStatus
from asrdq.errors import ExitCode
from asrdq.gates.demands.judged import Judged
from asrdq.gates.evidence import Evidence, Finding
from asrdq.gates.ledgers.waivers import Waived
from asrdq.gates.measures import Measures, StratumMeasure
from asrdq.gates.policy import Policy
from asrdq.gates.policy_sections import AuditRules
from asrdq.sampling.deciding import MoreClips
from asrdq.sampling.estimators import Rate


class Verdict(StrEnum):
    """What the gate says."""

    PROCEED = "PROCEED"
    CAUTION = "CAUTION"
    STOP = "STOP"
    UNDECIDED = "UNDECIDED"

    def exit_code(self, *, fail_on_caution: bool = False) -> ExitCode:
        """Return the exit code of a verdict; CAUTION passes unless told otherwise."""
        if self is Verdict.CAUTION:
            return ExitCode.FAILED if fail_on_caution else ExitCode.OK
        return _CODES[self]


_CODES = {
    Verdict.PROCEED: ExitCode.OK,
    Verdict.STOP: ExitCode.FAILED,
    Verdict.UNDECIDED: ExitCode.UNDECIDED,
}


def band(rate: float, rules: AuditRules) -> Verdict:
    """Return the verdict that a bare rate falls into (0 to 1).

    >>> [band(rate, AuditRules()).value for rate in (0.0999, 0.10, 0.15, 0.1501)]
    ['PROCEED', 'CAUTION', 'CAUTION', 'STOP']
    """
    if rate < rules.caution_from:
        return Verdict.PROCEED
    return Verdict.CAUTION if rate <= rules.stop_above else Verdict.STOP


@dataclass(frozen=True)
class Decision:
    """A verdict about one content of a manifest, and everything it stands on.

    Attributes:
        verdict: The verdict.
        reasons: Why, the weightiest first; each with what to do about it.
        notes: What is worth knowing and did not change the verdict.
        risks: Strata with a larger share of low quality than the policy likes.
        deciding: Name of the rate that decided: `sample`, `population` or `corrected`.
        measures: The figures; None where there is no usable audit.
        to_decide: What would decide, where an interval reaches over a limit.
        evidence: The tables it was made from.
        policy: The policy.
        of_audit: The verdict that the audit alone would give.
        waived: What would forbid or worsen the verdict, and a person answers for.
        judged: Every demand of the policy besides the audit.
    """

    verdict: Verdict
    reasons: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    risks: tuple[str, ...]
    deciding: str
    measures: Measures | None
    to_decide: MoreClips | None
    evidence: Evidence
    policy: Policy
    of_audit: Verdict
    waived: tuple[Waived, ...] = ()
    judged: tuple[Judged, ...] = ()

    @property
    def rate(self) -> Rate:
        """The rate that decided."""
        if self.measures is None:
            return Rate(None, 0.0, 1.0, self.policy.audit.confidence or 0.95, "nothing was judged")
        return self.measures.rate(self.deciding)

    def alone(self, stratum: StratumMeasure) -> Verdict:
        """Return the verdict that a stratum would have as a manifest of its own.

        It tells where the trouble lies, also where the whole is UNDECIDED because of another
        stratum.
        """
        rate, rules = stratum.rate, self.policy.audit
        if rate.value is None or stratum.calibration != InstrumentStatus.OK:
            return Verdict.UNDECIDED
        sure = rules.confidence is None or band(rate.low, rules) is band(rate.high, rules)
        return band(rate.value, rules) if sure else Verdict.UNDECIDED
