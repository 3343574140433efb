"""What the audit has shown of its own instrument, and what of that forbids a verdict."""

from __future__ import annotations

import math
from typing import Any

from asrdq.audit.calibration.fitting import CALIBRATION_FROM
from asrdq.audit.faults import GROSS
from asrdq.audit.reasons import InstrumentStatus
from asrdq.gates.advice import larger_sample, sample_command
from asrdq.gates.evidence import Evidence, Finding
from asrdq.gates.measures import BLIND, Measures, StratumMeasure, gross_faults
from asrdq.gates.policy_sections import InstrumentRules
from asrdq.sampling.estimators import least_trials, wilson

_WEAK_HINT = (
    "hear some of its clips: where many transcripts are wrong no instrument tells right from "
    "wrong, and they come first; else another aligner, or a manifest without it"
)


def blind_strata(measures: Measures, evidence: Evidence) -> list[Finding]:
    """Return a finding for what cannot be judged: too weak, too few clips, or no clip at all."""
    return [
        *_strata_without_clip(measures, evidence),
        *_weak_strata(measures, evidence),
        *_too_few(measures, evidence),
    ]


def _strata_without_clip(measures: Measures, evidence: Evidence) -> list[Finding]:
    rows = max(len(evidence.clips), len(measures.strata))
    return [
        Finding(
            "stratum_without_clip",
            f"no clip of stratum '{stratum.name}' ({stratum.population:,} rows) was audited",
            sample_command(evidence, rows, "equal"),
        )
        for stratum in measures.strata
        if stratum.population > 0 and not stratum.audited
    ]


def _weak_strata(measures: Measures, evidence: Evidence) -> list[Finding]:
    """Return a finding for each stratum whose instrument is too weak, with the figure."""
    found = []
    for stratum in measures.strata:
        weak = [
            row
            for row in evidence.calibrations
            if row["stratum"] == stratum.name and row["verdict"] == InstrumentStatus.TOO_WEAK
        ]
        if weak:
            where = f"in stratum '{stratum.name}' ({100 * stratum.weight:.0f} % of the rows)"
            weakness = "; ".join(_weakness(row, evidence) for row in weak)
            rest = f"clips that it cannot judge are not called bad{_facts(stratum)}"
            found.append(Finding("too_weak", f"{where} {weakness}; {rest}", _WEAK_HINT))
    return found


def _facts(stratum: StratumMeasure) -> str:
    """Say what stands of the clips of a stratum whatever the instrument is worth."""
    facts = ", ".join(f"{count:,} × {reason}" for reason, count in stratum.facts.items())
    return f", but for plain facts about {stratum.audited:,} of them: {facts}" if facts else ""


def _weakness(row: dict[str, Any], evidence: Evidence) -> str:
    """Say which of the two rules failed: `maximum_strained`, `minimum_auc`, or both."""
    strained, auc = row["strained"], row["auc_gross"]
    most, least = evidence.parameters["maximum_strained"], evidence.parameters["minimum_auc"]
    failed = []
    if strained is not None and strained > most:
        failed.append(
            f"{100 * strained:.0f} % of its clips align only with extraordinary effort or "
            f"not at all (strained, at most {100 * most:g} %)"
        )
    if auc is None or math.isnan(auc):
        failed += [] if failed else ["a planted fault has no scored clip to be told from"]
    elif auc < least:
        failed.append(
            "a planted fault hardly differs from untouched clips "
            f"(AUC {auc:.3f}, at least {least:g})"
        )
    who = f"the model of {row['fold']}" if row["fold"] else "the instrument"
    return f"{who} cannot judge: {' and '.join(failed)}"


def _too_few(measures: Measures, evidence: Evidence) -> list[Finding]:
    """Return a finding where too few clips with audio and text were there to calibrate on.

    Small strata share an instrument, so the clips of all strata count together.
    """
    few = [s for s in measures.strata if s.calibration == InstrumentStatus.TOO_FEW]
    if not few:
        return []
    named = ", ".join(stratum.name + _facts(stratum) for stratum in few)
    have = sum(row["clips"] or 0 for row in evidence.calibrations)
    if have >= CALIBRATION_FROM:
        message = f"the aligner gives no evidence to fit a threshold to in {named}"
        return [Finding("too_few", message, "another aligner")]
    message = (
        f"too few clips to calibrate on in {named}: {have:,} of the {CALIBRATION_FROM} needed, "
        "with audio, a text and an answer of the aligner"
    )
    larger = larger_sample(evidence, have, CALIBRATION_FROM)
    return [Finding("too_few", message, larger or "a manifest with more clips: all were audited")]


def unproven(measures: Measures, evidence: Evidence, rules: InstrumentRules) -> list[Finding]:
    """Return what is missing for a proof of the instrument on this very data.

    Every kind of gross fault needs so many trials over all strata that can be judged that finding
    each of them would show the least recall: that Wilson's 95 % interval would lie above it (16
    trials for 80 %). Strata have no such number of their own, since a small one cannot reach it;
    there the separation of the faults planted in it counts (`too_weak`), and a recall that is
    surely too low (`low_recall`).
    """
    name = evidence.manifest.name
    found = _uncalibrated(measures, evidence)
    if not measures.able:
        return found
    trials = {row["fault"]: row["clips"] for row in gross_faults(evidence.detections)}
    if not trials:
        return [*found, _finding("no faults were planted", f"asrdq faults {name}")]
    least = least_trials(rules.minimum_recall)
    few = {kind: trials.get(kind, 0) for kind in GROSS if trials.get(kind, 0) < least}
    if few:
        named = ", ".join(f"{kind} ({count:,})" for kind, count in few.items())
        what = (
            f"a recall of {100 * rules.minimum_recall:g} % takes {least:,} planted faults of a "
            f"kind to show, and there were fewer of {named}"
        )
        found.append(_finding(what, _more_trials(evidence, min(few.values()), least)))
    return found


def _more_trials(evidence: Evidence, have: int, needed: int) -> str:
    larger = larger_sample(evidence, have, needed)
    note = (
        "where the texts are too short or too much alike for a fault, `if_unproven: note` in the "
        "policy does without its proof"
    )
    return f"a larger sample ({larger}); {note}" if larger else note


_UNCALIBRATED = {
    InstrumentStatus.SHIPPED.value: "shipped thresholds in {}, which were not calibrated for this "
    "aligner and language",
    InstrumentStatus.STORED.value: "thresholds of asrdq calibrate in {}, and no fault planted to "
    "see whether they hold here",
}
_BY_COVERAGE = "none"
"""What a run says of its thresholds where the aligner was not at work here."""
_UNASKED = "cannot be asked about planted faults: coverage alone judged {}"


def _uncalibrated(measures: Measures, evidence: Evidence) -> list[Finding]:
    told, hint = _UNCALIBRATED, f"asrdq audit {evidence.manifest.name}"
    if evidence.parameters.get("thresholds") == _BY_COVERAGE:
        told = {InstrumentStatus.SHIPPED.value: f"{evidence.parameters['aligner']} {_UNASKED}"}
        hint = "an aligner that listens itself, such as pocketsphinx or ctc:MODEL"
    strata: dict[str | None, list[str]] = {}
    for stratum in measures.strata:
        if stratum.audited:
            strata.setdefault(stratum.calibration, []).append(stratum.name)
    found = []
    for status, names in strata.items():
        if status not in (InstrumentStatus.OK, *BLIND):
            what = told.get(str(status), "no calibration of {}").format(", ".join(names))
            found.append(_finding(what, hint))
    return found


def _finding(what: str, hint: str) -> Finding:
    return Finding("unproven", f"the instrument was not proven on this data: {what}", hint)


def low_recall(measures: Measures, evidence: Evidence, rules: InstrumentRules) -> list[Finding]:
    """Return a finding for each kind of gross fault that was found too seldom.

    Over all strata together that is a share of enough trials under the least recall; within a
    stratum, which has fewer, one whose 95 % interval lies under it.
    """
    least = rules.minimum_recall
    able = {stratum.name for stratum in measures.able}
    found = [
        _too_seldom(row, "", least)
        for row in gross_faults(evidence.detections)
        if row["clips"] >= least_trials(least) and row["found"] < least * row["clips"]
    ]
    return found + [
        _too_seldom(row, f"in stratum '{row['stratum']}' the instrument is not proven: ", least)
        for row in evidence.detections
        if row["stratum"] in able
        and row["gross"]
        and row["clips"]
        and wilson(row["found"], row["clips"]).high < least
    ]


def _too_seldom(row: dict[str, Any], where: str, least: float) -> Finding:
    return Finding(
        "low_recall",
        f"{where}of the planted fault '{row['fault']}' only {row['found']:,} of {row['clips']:,} "
        f"were found ({100 * row['found'] / row['clips']:.0f} %, at least {100 * least:g} %)",
        "another aligner, or a manifest without what it does not hear",
    )
