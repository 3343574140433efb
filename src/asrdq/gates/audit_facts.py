"""What the rules about the audit were held against: value, limit, and the table behind them."""

from __future__ import annotations

from asrdq.gates.decision import Decision
from asrdq.gates.demands.judged import Source
from asrdq.gates.measures import Measures, gross_faults
from asrdq.sampling.estimators import least_trials

_TABLES = {
    "changed_strata": "strata",
    "stratum_without_clip": "strata",
    "too_weak": "calibrations",
    "too_few": "calibrations",
    "unproven": "detections",
    "low_recall": "detections",
}


def audit_source(decision: Decision, rule: str) -> Source | None:
    """Return where the evidence of a rule stands; None where there is no audit."""
    run = decision.evidence.run
    if run is None:
        return None
    table = _TABLES.get(rule, "audits")
    of_sample = table == "strata"
    run_id = decision.evidence.parameters.get("sample_run_id") if of_sample else run["run_id"]
    query = f"SELECT * FROM {table} WHERE run_id = '{run_id}'"
    return Source(table, query, "sample" if of_sample else "audit", str(run_id), run["ended"])


def audit_facts(decision: Decision) -> dict[str, tuple[str, str]]:
    """Return value and limit of the rules that have them, in words."""
    measures = decision.measures
    rows = {"empty_manifest": (f"{decision.evidence.manifest.rows:,} rows", "at least 1")}
    if measures is None:
        return rows
    audit = decision.policy.audit
    band = f"CAUTION from {audit.caution_from:.4g}, STOP above {audit.stop_above:.4g}"
    rate = str(decision.rate)
    without = sum(not s.audited for s in measures.strata if s.population)
    return {
        **rows,
        "stratum_without_clip": (f"{without} strata", "0"),
        **(_instrument(decision, measures) if measures.able else {}),
        "straddles": (rate, band),
        "rate": (rate, band),
    }


def _instrument(decision: Decision, measures: Measures) -> dict[str, tuple[str, str]]:
    """Return what the instrument did in the strata that it can judge."""
    rules = decision.policy.instrument
    audited = sum(stratum.audited for stratum in measures.able)
    not_judged = audited - sum(stratum.judged for stratum in measures.able)
    failed = f"{not_judged:,} of {audited:,} clips not judged"
    return {
        "instrument_failed": (failed, f"at most {rules.maximum_failures:.1%}"),
        **_recalls(decision),
    }


def _recalls(decision: Decision) -> dict[str, tuple[str, str]]:
    least = decision.policy.instrument.minimum_recall
    found = [
        (row["found"] / row["clips"], row["fault"], row["clips"])
        for row in gross_faults(decision.evidence.detections)
    ]
    if not found:
        return {}
    recall, fault, _ = min(found)
    fewest = min(found, key=lambda one: one[2])
    return {
        "unproven": (
            f"{fewest[2]:,} planted of {fewest[1]}",
            f"at least {least_trials(least):,} of each kind",
        ),
        "low_recall": (f"{recall:.1%} of {fault}", f"at least {least:.1%} of each kind"),
    }
