"""What the audit has shown of its own instrument, and what of that forbids a verdict."""

from __future__ import annotations

from asrdq.audit.faults import GROSS
from asrdq.audit.reasons import InstrumentStatus
from asrdq.gates.evidence import Evidence, Finding
from asrdq.gates.measures import Measures, StratumMeasure, gross_faults
from asrdq.gates.policy import InstrumentRules
from asrdq.sampling.estimators import least_trials


def weak_strata(measures: Measures, evidence: Evidence) -> list[Finding]:
    """Return a finding for each stratum that the instrument cannot judge, with the figure."""
    return [
        Finding(
            "too_weak",
            f"in stratum '{stratum.name}' ({100 * stratum.weight:.0f} % of the rows) the "
            f"instrument cannot judge: {_weakness(stratum, evidence)}; its clips are not called "
            "bad",
            "another aligner, or a manifest without this stratum",
        )
        for stratum in measures.strata
        if stratum.calibration == InstrumentStatus.TOO_WEAK
    ]


def _weakness(stratum: StratumMeasure, evidence: Evidence) -> str:
    """Say which of the two rules failed: `maximum_strained`, `minimum_auc`, or both."""
    most, least = evidence.parameters["maximum_strained"], evidence.parameters["minimum_auc"]
    failed = []
    if stratum.strained is not None and stratum.strained > most:
        failed.append(
            f"{100 * stratum.strained:.0f} % of its clips align only with extraordinary effort or "
            f"not at all (strained, at most {100 * most:g} %)"
        )
    if stratum.auc is not None and not stratum.auc >= least:
        failed.append(
            "a planted fault hardly differs from untouched clips "
            f"(AUC {stratum.auc:.3f}, at least {least:g})"
        )
    return " and ".join(failed)


def unproven(measures: Measures, evidence: Evidence, rules: InstrumentRules) -> list[Finding]:
    """Return what is missing for a proof of the instrument on this very data.

    Every kind of gross fault needs so many trials over all strata that can be judged that finding
    each of them would show the least recall: that Wilson's 95 % interval would lie above it (16
    trials for 80 %). Strata have no such number of their own, since a small one cannot reach it;
    there the separation of the faults planted in it counts (`too_weak`).
    """
    name = evidence.manifest.name
    found = _uncalibrated(measures, name)
    trials = {row["fault"]: row["clips"] for row in gross_faults(evidence.detections)}
    if not trials or measures.instrument is None:
        return [*found, _finding("no faults were planted", f"asrdq faults {name}")]
    least = least_trials(rules.minimum_recall)
    few = [f"{kind} ({trials.get(kind, 0):,})" for kind in GROSS if trials.get(kind, 0) < least]
    if few:
        what = (
            f"a recall of {100 * rules.minimum_recall:g} % takes {least:,} planted faults of a "
            f"kind to show, and there were fewer of {', '.join(few)}"
        )
        advice = (
            f"a larger sample: asrdq sample {name}; where the texts are too short or too much "
            "alike for a fault, `if_unproven: note` in the policy does without its proof"
        )
        found.append(_finding(what, advice))
    return found


def _uncalibrated(measures: Measures, name: str) -> list[Finding]:
    strata: dict[str | None, list[str]] = {}
    for stratum in measures.strata:
        if stratum.audited:
            strata.setdefault(stratum.calibration, []).append(stratum.name)
    audit = f"asrdq audit {name}"
    causes: dict[str | None, tuple[str, str]] = {
        InstrumentStatus.SHIPPED: ("shipped thresholds in", audit),
        InstrumentStatus.TOO_FEW: (
            "too few clips to calibrate on in",
            f"a larger sample: asrdq sample {name}",
        ),
    }
    found = []
    for status, names in strata.items():
        if status not in (InstrumentStatus.OK, InstrumentStatus.TOO_WEAK):
            what, hint = causes.get(status, ("no calibration of", audit))
            found.append(_finding(f"{what} {', '.join(names)}", hint))
    return found


def _finding(what: str, hint: str) -> Finding:
    return Finding("unproven", f"the instrument was not proven on this data: {what}", hint)


def low_recall(evidence: Evidence, rules: InstrumentRules) -> list[Finding]:
    """Return a finding for each kind of gross fault that was tried enough and found too seldom."""
    least = rules.minimum_recall
    return [
        Finding(
            "low_recall",
            f"of the planted fault '{row['fault']}' only {row['found']:,} of {row['clips']:,} "
            f"were found ({100 * row['found'] / row['clips']:.0f} %, at least {100 * least:g} %)",
            "a larger sample for the calibration, or another aligner",
        )
        for row in gross_faults(evidence.detections)
        if row["clips"] >= least_trials(least) and row["found"] < least * row["clips"]
    ]
