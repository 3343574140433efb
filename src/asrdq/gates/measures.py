"""The figures of an audit: rates with intervals, strata, coverage, the instrument's errors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from asrdq.audit.faults import Fault
from asrdq.audit.reasons import FACTS, InstrumentStatus, Reason
from asrdq.gates.evidence import Evidence
from asrdq.sampling.deciding import Estimate, MoreClips, clips_to_decide, present_need
from asrdq.sampling.estimators import (
    Instrument,
    Limit,
    Rate,
    StratumCount,
    corrected_rate,
    population_interval,
    sample_rate,
    wilson,
)

QUANTILES = (10, 25, 50, 75, 90)
BLIND = (InstrumentStatus.TOO_WEAK, InstrumentStatus.TOO_FEW)
"""What an instrument is worth in a stratum that it cannot judge."""


@dataclass(frozen=True)
class StratumMeasure:
    """One stratum: how many clips it has, how many were judged, and how they are.

    Attributes:
        population: Clips of the stratum in the manifest, N_h.
        audited: Clips drawn and audited.
        judged: Those that the instrument could judge; none where it cannot judge the stratum.
        low: Low-quality clips among the judged.
        rate: Their share, with Wilson's interval for a finite population; none where the
            instrument cannot judge the stratum.
        mean_coverage: Mean coverage of the judged clips, None without any.
        length_mismatches: Judged clips whose length does not fit their text.
        facts: Reasons that stand whatever the instrument is worth, each with its clips.
        weight: Share of the manifest, W_h.
        calibration: What the instrument is worth here: an `InstrumentStatus`, that of the weakest
            model where several judged; None for a stratum without an audited clip.
    """

    name: str
    population: int
    weight: float
    audited: int
    judged: int
    low: int
    rate: Rate
    mean_coverage: float | None
    length_mismatches: int
    facts: dict[str, int]
    calibration: str | None

    @property
    def not_judged(self) -> int:
        """Audited clips that the instrument could not judge."""
        return self.audited - self.judged

    def count(self) -> StratumCount:
        """Return the counts that the estimators take."""
        return StratumCount(self.name, self.population, self.judged, self.low)


@dataclass(frozen=True)
class Measures:
    """All figures of one audit."""

    strata: tuple[StratumMeasure, ...]
    sample_rate: Rate
    population_rate: Rate
    corrected_rate: Rate
    judged_strata_rate: Rate
    audited: int
    judged: int
    low: int
    length_mismatches: int
    durations_differ: int
    coverage: dict[str, float | None]
    instrument: Instrument | None

    @property
    def able(self) -> tuple[StratumMeasure, ...]:
        """The strata in which the instrument is neither too weak nor without enough clips."""
        return tuple(stratum for stratum in self.strata if stratum.calibration not in BLIND)

    def rate(self, name: str) -> Rate:
        """Return the rate `sample`, `population` or `corrected`."""
        rate: Rate = getattr(self, f"{name}_rate")
        return rate

    def clips_to_decide(self, name: str, limit: Limit) -> MoreClips | None:
        """Return what would take the interval of a rate off a limit; None where it is off it."""
        counts = [stratum.count() for stratum in self.strata]
        confidence = self.rate(name).confidence
        if name == "sample":
            return clips_to_decide(
                counts, limit, confidence, estimate=sample_rate, need=present_need
            )
        estimate: Estimate = population_interval
        if name == "corrected" and self.instrument is not None:
            estimate = partial(corrected_rate, instrument=self.instrument)
        return clips_to_decide(counts, limit, confidence, estimate=estimate)


def measure(evidence: Evidence, confidence: float) -> Measures:
    """Compute the figures of an audit whose tables are whole."""
    judged = _judged(evidence)
    strata = tuple(_stratum(evidence, judged, row, confidence) for row in evidence.strata)
    counts = [stratum.count() for stratum in strata]
    judgeable = [count for count in counts if count.judged > 0]
    instrument = _instrument(evidence.detections)
    untried = "no fault was planted in a stratum that can be judged"
    corrected = Rate(None, 0.0, 1.0, confidence, untried)
    if instrument is not None:
        corrected = corrected_rate(counts, confidence, instrument=instrument)
    return Measures(
        strata=strata,
        sample_rate=sample_rate(counts, confidence),
        population_rate=population_interval(counts, confidence),
        corrected_rate=corrected,
        judged_strata_rate=population_interval(judgeable, confidence),
        audited=len(evidence.clips),
        judged=len(judged),
        low=sum(bool(clip["low_quality"]) for clip in judged),
        length_mismatches=sum(bool(clip["length_mismatch"]) for clip in judged),
        durations_differ=sum(s.facts.get(Reason.DURATION_DIFFERS, 0) for s in strata),
        coverage=_coverage(judged),
        instrument=instrument,
    )


def _judged(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the clips that count: those with a judgement, in strata that can be judged.

    Where the instrument cannot judge a stratum, only plain facts are known of its clips, and the
    share of those among themselves is no rate of the stratum.
    """
    blind = {clip["stratum"] for clip in evidence.clips if clip["instrument"] in BLIND}
    return [
        clip
        for clip in evidence.clips
        if clip["instrument"] == InstrumentStatus.OK and clip["stratum"] not in blind
    ]


def _stratum(
    evidence: Evidence, counted: Sequence[dict[str, Any]], row: dict[str, Any], confidence: float
) -> StratumMeasure:
    name = row["stratum"]
    clips = [clip for clip in evidence.clips if clip["stratum"] == name]
    judged = [clip for clip in counted if clip["stratum"] == name]
    facts = Counter(
        reason for clip in clips for reason in clip["reasons"] or () if reason in set(FACTS)
    )
    low = sum(bool(clip["low_quality"]) for clip in judged)
    population = int(row["population_rows"])
    worth = [row["verdict"] for row in evidence.calibrations if row["stratum"] == name]
    return StratumMeasure(
        name=name,
        population=population,
        weight=population / evidence.manifest.rows,
        audited=len(clips),
        judged=len(judged),
        low=low,
        rate=wilson(low, len(judged), confidence, population=population),
        mean_coverage=_coverage(judged)["mean"],
        length_mismatches=sum(bool(clip["length_mismatch"]) for clip in judged),
        facts=dict(facts.most_common()),
        calibration=min(worth, key=_worth, default=None),
    )


def _worth(verdict: str | None) -> tuple[int, bool]:
    """Order what instruments are worth: the blind, then what is not proven, then the proven."""
    blind = BLIND.index(verdict) if verdict in BLIND else len(BLIND)
    return blind, verdict == InstrumentStatus.OK


def _coverage(judged: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Return quantiles and mean of coverage; a clip without audio has coverage 0."""
    values = [clip["coverage"] or 0.0 for clip in judged]
    names = [f"p{q}" for q in QUANTILES]
    if not values:
        return dict.fromkeys([*names, "mean"])
    found = np.percentile(values, QUANTILES)
    return {
        **dict(zip(names, map(float, found), strict=True)),
        "mean": math.fsum(values) / len(values),
    }


def gross_faults(detections: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of gross faults over all strata together."""
    return [row for row in detections if row["stratum"] is None and row["gross"] and row["clips"]]


def _instrument(detections: Sequence[dict[str, Any]]) -> Instrument | None:
    """Return recall over all gross faults together, and the estimated false alarms."""
    gross = gross_faults(detections)
    untouched = [
        row
        for row in detections
        if row["stratum"] is None and row["fault"] == Fault.UNTOUCHED and row["clips"]
    ]
    if not gross or not untouched:
        return None
    return Instrument(
        found=float(sum(row["found"] for row in gross)),
        planted=float(sum(row["clips"] for row in gross)),
        false_alarms=float(untouched[0]["found"]),
        untouched=float(untouched[0]["clips"]),
    )
