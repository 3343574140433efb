"""The page about an audit: what its templates are given."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asrdq
from asrdq.audit.faults import Fault
from asrdq.audit.reasons import InstrumentStatus
from asrdq.gates.measures import StratumMeasure
from asrdq.reporting import wording
from asrdq.reporting.agreement import Agreement
from asrdq.reporting.audio_panels import AudioFacts
from asrdq.reporting.checked import Checked
from asrdq.reporting.clips import ShownClip
from asrdq.reporting.distributions import (
    MOST_DRAWN,
    MOST_STRATA,
    Spread,
    reason_tallies,
    spreads,
    unjudged_tallies,
)
from asrdq.reporting.ledgers import Ledgers
from asrdq.reporting.plots import UNIT, rate_scale
from asrdq.reporting.ruling import Ruling
from asrdq.reporting.scored import Scored
from asrdq.reporting.subject import Subject
from asrdq.reporting.templating import fill
from asrdq.reporting.training import RunPanel


@dataclass(frozen=True)
class Detections:
    """The table of planted faults: all strata together, and each stratum."""

    overall: list[dict[str, Any]]
    false_alarms: dict[str, Any] | None
    faults: list[str]
    by_stratum: dict[str, dict[str, dict[str, Any]]]


def render_page(
    subject: Subject,
    ruling: Ruling,
    facts: AudioFacts | None,
    clips: Sequence[ShownClip],
    written: dt.datetime,
    ledgers: Ledgers,
    checked: Checked | None = None,
    scored: Scored | None = None,
    training: Sequence[RunPanel] = (),
    agreement: Agreement | None = None,
) -> str:
    """Return the page as HTML.

    Args:
        subject: The audit.
        ruling: The verdict, or why there is none.
        facts: What a probe measured, None without one.
        clips: The clips to show one by one.
        written: The time that the page gives as its own.
        ledgers: Who answers for the verdict.
        checked: What suites of expectations said, None where none was run.
        scored: What hypotheses of the manifest scored, None where nothing was.
        training: Runs that train on it.
        agreement: What a second aligner said, None without one.
    """
    context = {
        "subject": subject,
        "manifest": subject.manifest,
        "parameters": subject.parameters,
        "ruling": ruling,
        "rules": ruling.policy.audit,
        "measures": ruling.measures,
        **_by_stratum(subject, ruling),
        "rate_axis": rate_scale(_rate_ends(ruling, [])),
        "unit_axis": UNIT,
        "reasons": reason_tallies(subject.evidence.clips),
        "unjudged": unjudged_tallies(subject.evidence.clips),
        "facts": facts,
        "clips": clips,
        "ledgers": ledgers,
        "checked": checked,
        "scored": scored,
        "training": training,
        "agreement": agreement,
        "written": written,
        "versions": {
            "asrdq (report)": asrdq.__version__,
            "asrdq (audit)": subject.run["asrdq_version"],
            "Python (audit)": subject.run["python"],
            "Python (report)": platform.python_version(),
        },
        "words": wording,
    }
    return fill("page.html.j2", context)


def _by_stratum(subject: Subject, ruling: Ruling) -> dict[str, Any]:
    """Return what the page says about single strata: the largest first, and not too many."""
    strata = sorted(ruling.measures.strata, key=lambda s: (-s.population, s.name))
    shown = strata[:MOST_STRATA]
    names = [stratum.name for stratum in shown]
    judged = (InstrumentStatus.OK, InstrumentStatus.TOO_WEAK)
    return {
        "strata": shown,
        "hidden_strata": len(strata) - len(shown),
        "weak_strata": [s.name for s in strata if s.calibration == InstrumentStatus.TOO_WEAK],
        "unproven_strata": [s.name for s in strata if s.calibration not in judged],
        "strata_axis": rate_scale(_rate_ends(ruling, shown)),
        "spreads": _spreads(subject, names),
        "drawn_spreads": 1 + MOST_DRAWN,
        "detections": detections(subject.evidence.detections, names),
    }


def _rate_ends(ruling: Ruling, strata: Sequence[StratumMeasure]) -> list[float]:
    """Return every value that an axis of rates must hold."""
    measures, rules = ruling.measures, ruling.policy.audit
    rates = [measures.rate(name) for name in ("population", "sample", "corrected")]
    rates += [stratum.rate for stratum in strata]
    ends = [rate.high for rate in rates if rate.value is not None]
    return [*ends, 1.2 * rules.stop_above, rules.stratum_risk if strata else 0.0]


def _spreads(subject: Subject, names: Sequence[str]) -> list[tuple[str, float, list[Spread]]]:
    clips = subject.evidence.clips
    limits = (("coverage", subject.coverage_minimum), ("confidence", subject.confidence_minimum))
    return [(name, limit, spreads(clips, names, name, limit)) for name, limit in limits]


def detections(rows: Sequence[dict[str, Any]], strata: Sequence[str]) -> Detections:
    """Arrange the rows of `detections`: gross faults first, false alarms apart."""
    tried = [row for row in rows if row["clips"]]
    overall = [row for row in tried if row["stratum"] is None]
    planted = [row for row in overall if row["fault"] != Fault.UNTOUCHED]
    alarms = [row for row in overall if row["fault"] == Fault.UNTOUCHED]
    by_stratum: dict[str, dict[str, dict[str, Any]]] = {}
    for row in tried:
        if row["stratum"] in strata:
            by_stratum.setdefault(row["stratum"], {})[row["fault"]] = row
    planted.sort(key=lambda row: not row["gross"])
    return Detections(
        overall=planted,
        false_alarms=alarms[0] if alarms else None,
        faults=[row["fault"] for row in planted],
        by_stratum={name: by_stratum[name] for name in strata if name in by_stratum},
    )
