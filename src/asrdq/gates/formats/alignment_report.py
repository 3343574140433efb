"""`alignment_report.json`: the verdict for other programs, under stable names.

The names at the top level (total_samples, low_quality_percentage, decision …) are those that
teams already query with jq; percentages are percent, all other rates are shares from 0 to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asrdq
from asrdq.gates.decision import Decision, Verdict
from asrdq.gates.demands.judged import Standing
from asrdq.gates.formats.outcomes import Outcome, outcomes
from asrdq.gates.policy import policy_hash
from asrdq.results import plain

if TYPE_CHECKING:
    from asrdq.gates.measures import Measures, StratumMeasure
    from asrdq.sampling.estimators import Rate

SCHEMA_VERSION = 1

CLIP_FIELDS = (
    *("utt_id", "stratum", "audio_path", "text", "speaker", "duration_s", "voiced_s"),
    *("text_coverage", "speech_coverage", "coverage", "confidence", "chars_per_second"),
    *("length_mismatch", "low_quality", "reasons", "instrument", "inclusion_probability"),
)


def report_body(result: Decision, *, with_clips: bool = True) -> dict[str, Any]:
    """Return the report as JSON types.

    Args:
        result: The verdict.
        with_clips: Whether `detailed_metrics`, one entry a clip, is part of it.
    """
    body = {
        "schema_version": SCHEMA_VERSION,
        **_familiar(result, with_clips),
        "verdict": result.verdict,
        "reasons": result.reasons,
        "notes": result.notes,
        "waived": result.waived,
        "audit_verdict": result.of_audit,
        "rules": [_rule(outcome) for outcome in outcomes(result)],
        "risk_strata": result.risks,
        **_provenance(result),
        **(_figures(result.measures) if result.measures else {}),
        "deciding_rate": {"name": result.deciding, **_rate(result.rate)},
        "what_would_decide": result.to_decide,
        "detections": result.evidence.detections,
        "calibrations": [
            {key: value for key, value in row.items() if key != "model"}
            for row in result.evidence.calibrations
        ],
    }
    converted = plain(body)
    assert isinstance(converted, dict)
    return converted


def _rule(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "demand": outcome.demand,
        "state": outcome.state,
        "value": outcome.value,
        "limit": outcome.limit,
        "found": outcome.messages(),
        "evidence": [
            {"table": source.table, "run_id": source.run_id, "query": source.query}
            for source in outcome.evidence
        ],
    }


def _familiar(result: Decision, with_clips: bool) -> dict[str, Any]:
    measures = result.measures
    clips = result.evidence.clips if with_clips else []
    return {
        "total_samples": measures.judged if measures else 0,
        "low_quality_count": measures.low if measures else 0,
        "low_quality_percentage": _percent(measures.low, measures.judged) if measures else None,
        "decision": result.verdict,
        "recommendation": recommendation(result),
        "coverage_distribution": measures.coverage if measures else {},
        "domain_statistics": {s.name: _domain(s, result.alone(s)) for s in measures.strata}
        if measures
        else {},
        "detailed_metrics": [{name: clip[name] for name in CLIP_FIELDS} for clip in clips],
    }


def _domain(stratum: StratumMeasure, alone: Verdict) -> dict[str, Any]:
    return {
        "decision": alone,
        "total_samples": stratum.judged,
        "low_quality_count": stratum.low,
        "low_quality_percentage": _percent(stratum.low, stratum.judged),
        "mean_coverage": stratum.mean_coverage,
        "length_mismatch_count": stratum.length_mismatches,
        "length_mismatch_percentage": _percent(stratum.length_mismatches, stratum.judged),
        "plain_facts": stratum.facts,
        "population_rows": stratum.population,
        "weight": stratum.weight,
        "audited": stratum.audited,
        "not_judged": stratum.not_judged,
        "rate": _rate(stratum.rate),
        "calibration": stratum.calibration,
    }


def _provenance(result: Decision) -> dict[str, Any]:
    manifest, run = result.evidence.manifest, result.evidence.run
    return {
        "manifest": manifest.name,
        "manifest_version": manifest.version,
        "fingerprint": manifest.fingerprint,
        "manifest_rows": manifest.rows,
        "manifest_hours": manifest.hours,
        "audit_run_id": run["run_id"] if run else None,
        "audit_ended": run["ended"] if run else None,
        "policy": result.policy.model_dump(),
        "policy_hash": policy_hash(result.policy),
        "asrdq_version": asrdq.__version__,
    }


def _figures(measures: Measures) -> dict[str, Any]:
    return {
        "population_rate": _rate(measures.population_rate),
        "sample_rate": _rate(measures.sample_rate),
        "corrected_rate": _rate(measures.corrected_rate),
        "judged_strata_rate": _rate(measures.judged_strata_rate),
        "audited_clips": measures.audited,
        "not_judged_count": measures.audited - measures.judged,
        "length_mismatch_count": measures.length_mismatches,
        "length_mismatch_percentage": _percent(measures.length_mismatches, measures.judged),
        "duration_differs_count": measures.durations_differ,
        "instrument": measures.instrument,
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "rate": rate.value,
        "low": rate.low,
        "high": rate.high,
        "confidence": rate.confidence,
        "reason": rate.reason or None,
    }


def _percent(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None


def recommendation(result: Decision) -> str:
    """Return what to do now, in a sentence or two."""
    risks = f" Look first at {', '.join(result.risks)}." if result.risks else ""
    if result.verdict is Verdict.UNDECIDED:
        steps = list(dict.fromkeys(f.hint for f in result.reasons if f.hint))
        return "No verdict yet. To get one: " + "; ".join(steps or ["see the reasons"]) + "."
    return {
        Verdict.PROCEED: "The data is fit to train on.",
        Verdict.CAUTION: _caution(result),
        Verdict.STOP: _stop(result),
    }[result.verdict] + risks


def _stop(result: Decision) -> str:
    rules = [one.rule for one in result.judged if one.answer.standing is Standing.BREACHED]
    broken = f" These rules are broken: {', '.join(rules)}." if rules else ""
    if result.of_audit is not Verdict.STOP:
        return f"Do not train on this data.{broken}"
    mend = "mend the clips the report lists, then audit again."
    return f"Do not train on this data: {mend}{broken}"


def _caution(result: Decision) -> str:
    warned = [one.rule for one in result.judged if one.answer.standing is Standing.WARNS]
    if warned and not result.waived:
        return f"Train, and watch closely: {', '.join(warned)} should hold and does not."
    if not result.waived:
        return "Train, and watch closely: the data is close to the limit."
    rules = ", ".join(dict.fromkeys(waived.waiver.rule for waived in result.waived))
    return f"Train only because these rules are waived, and watch closely: {rules}."
