"""What the audit finds of planted faults: recall, false alarms, separation, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isnan
from typing import Any, Final

import numpy as np
import pyarrow as pa

from asrdq.audit.calibration.fitting import SHIPPED_MODEL, Instrument, separation
from asrdq.audit.calibration.stored import StoredInstrument
from asrdq.audit.faults import GROSS, PLANTED, Fault
from asrdq.audit.reasons import InstrumentStatus
from asrdq.audit.tables import CALIBRATIONS, DETECTIONS
from asrdq.audit.trials import Flags, Group, Numbers, Trials
from asrdq.sampling.estimators import wilson
from asrdq.settings import AuditSettings

MOST_HIDDEN: Final = 0.25
"""Largest share of hidden faults that anything is corrected for; beyond it a blind instrument, to
which every clip looks faulty, could not be told from one that sees many faults."""


def calibration_table(
    trials: Trials,
    scores: Numbers,
    instruments: Mapping[Group, Instrument],
    *,
    run_id: str,
    settings: AuditSettings,
    can_prove: bool = True,
) -> pa.Table:
    """Say for each group whether its instrument can judge it (schema `CALIBRATIONS`).

    An instrument is too weak where it hardly separates some gross fault from right clips, or
    where the aligner has to strain itself to align most clips as they are: then the audio is
    beyond it, or most transcripts are wrong. Shipped thresholds prove nothing about this data:
    `shipped`, as does an aligner that cannot be asked about planted faults (`can_prove`). Stored
    ones prove something where faults were planted here too, otherwise they are `stored`. With too
    few clips there is no instrument: `too_few`.
    """
    rows = []
    for group in trials.groups:
        inside = trials.usable & trials.of(group)
        instrument = instruments.get(group)
        planted = inside & ~trials.untouched
        area = least_separation(trials, scores, inside, instrument)
        strained = strained_share(trials, inside, instrument)
        rows.append(
            {
                "run_id": run_id,
                "stratum": group.stratum,
                "fold": group.fold or None,
                "verdict": _verdict(instrument, area, strained, settings)
                if can_prove
                else InstrumentStatus.SHIPPED,
                "clips": int((inside & trials.untouched).sum()),
                "planted": int(planted.sum()),
                "speakers": len(set(trials.speakers[inside].tolist())),
                "auc_gross": None if area is None or isnan(area) else area,
                "strained": strained,
                "threshold": instrument.threshold.value if instrument else None,
                "false_alarm_budget": settings.false_alarm_budget,
                "fitted_on": instrument.fitted_on if instrument else None,
                "model": instrument.to_json() if instrument else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=CALIBRATIONS)


def group_verdicts(calibrations: pa.Table) -> dict[Group, str]:
    """Return what `calibration_table` says of each group's instrument."""
    rows = calibrations.select(["stratum", "fold", "verdict"]).to_pylist()
    return {Group(row["stratum"], row["fold"] or ""): row["verdict"] for row in rows}


def least_separation(
    trials: Trials, scores: Numbers, inside: Flags, instrument: Instrument | None
) -> float | None:
    """Return the smallest area under the ROC curve over the gross faults planted in a group.

    None where none was planted; NaN where a side of a comparison has no score.
    """
    hidden = _hidden_share(instrument)
    untouched = scores[inside & trials.untouched]
    areas = [
        separation(untouched, scores[inside & (trials.faults == fault.value)], hidden)
        for fault in GROSS
        if (inside & (trials.faults == fault.value)).any()
    ]
    known = [area for area in areas if area is not None]
    return float("nan") if len(known) < len(areas) else min(known, default=None)


def strained_share(trials: Trials, inside: Flags, instrument: Instrument | None) -> float | None:
    """Return the share of right clips of a group that the aligner aligns with effort or not."""
    chosen = inside & trials.untouched
    if not chosen.any():
        return None
    hidden = _hidden_share(instrument)
    share = float(trials.strained[chosen].mean())
    return max(0.0, (share - hidden) / (1.0 - hidden))


def _hidden_share(instrument: Instrument | None) -> float:
    return min(instrument.threshold.hidden_share, MOST_HIDDEN) if instrument else 0.0


def _verdict(
    instrument: Instrument | None,
    area: float | None,
    strained: float | None,
    settings: AuditSettings,
) -> InstrumentStatus:
    if instrument is None:
        return InstrumentStatus.TOO_FEW
    if strained is not None and strained > settings.maximum_strained:
        return InstrumentStatus.TOO_WEAK
    if area is not None and not area >= settings.minimum_auc:
        return InstrumentStatus.TOO_WEAK
    if instrument.fitted_on == SHIPPED_MODEL:
        return InstrumentStatus.SHIPPED
    if area is not None:
        return InstrumentStatus.OK
    return (
        InstrumentStatus.STORED
        if isinstance(instrument, StoredInstrument)
        else InstrumentStatus.SHIPPED
    )


def detection_table(
    trials: Trials,
    scores: Numbers,
    low_quality: Flags,
    instruments: Mapping[Group, Instrument],
    verdicts: Mapping[Group, str],
    run_id: str,
) -> pa.Table:
    """Count what was found, by stratum and fault (schema `DETECTIONS`).

    The rows for all strata together leave out the groups that have no instrument or one that is
    too weak, since none of their clips is judged; so do those of a stratum that another model
    judged in part. Clips that are bad as a plain fact are no false alarms.
    """
    rows: list[dict[str, Any]] = []
    names: Iterable[str | None] = [*sorted(set(trials.strata.tolist())), None]
    able = ~_blind(trials, verdicts)
    above = _above_threshold(trials, scores, instruments)
    for stratum in names:
        wanted = able if stratum is None else trials.strata == stratum
        if (wanted & able).any():
            wanted = wanted & able
        inside = trials.usable & wanted
        known = inside & ~trials.duration_differs
        rows.append(_false_alarms(trials, low_quality, instruments, known, run_id, stratum))
        for fault in PLANTED:
            chosen = inside & (trials.faults == fault.value)
            if not chosen.any():
                continue
            hidden = _hidden_clips(trials, instruments, inside) / max(
                1, int((inside & trials.untouched).sum())
            )
            area = separation(above[inside & trials.untouched], above[chosen], hidden)
            found, clips = int(low_quality[chosen].sum()), int(chosen.sum())
            rows.append(_row(run_id, stratum, fault, clips, found, area))
    return pa.Table.from_pylist(rows, schema=DETECTIONS)


def _above_threshold(
    trials: Trials, scores: Numbers, instruments: Mapping[Group, Instrument]
) -> Numbers:
    """Return how far scores lie above the thresholds: the scale that instruments share."""
    limits = np.zeros(len(scores))
    for group, instrument in instruments.items():
        limits[trials.of(group)] = instrument.threshold.value
    return np.where(np.isinf(scores), scores, scores - limits)


def _blind(trials: Trials, verdicts: Mapping[Group, str]) -> Flags:
    found: Flags = np.zeros(len(trials.clips), dtype=np.bool_)
    for group, verdict in verdicts.items():
        if verdict in (InstrumentStatus.TOO_WEAK, InstrumentStatus.TOO_FEW):
            found |= trials.of(group)
    return found


def _hidden_clips(trials: Trials, instruments: Mapping[Group, Instrument], inside: Flags) -> float:
    """Estimate how many untouched clips are really faulty."""
    total = 0.0
    for group, instrument in instruments.items():
        clips = int((inside & trials.untouched & trials.of(group)).sum())
        total += clips * _hidden_share(instrument)
    return total


def _false_alarms(
    trials: Trials,
    low_quality: Flags,
    instruments: Mapping[Group, Instrument],
    inside: Flags,
    run_id: str,
    stratum: str | None,
) -> dict[str, Any]:
    untouched = inside & trials.untouched
    clips, flagged = int(untouched.sum()), int(low_quality[untouched].sum())
    faulty = min(flagged, round(_hidden_clips(trials, instruments, inside)))
    return _row(run_id, stratum, Fault.UNTOUCHED, clips - faulty, flagged - faulty, None)


def _row(
    run_id: str, stratum: str | None, fault: Fault, clips: int, found: int, area: float | None
) -> dict[str, Any]:
    rate = wilson(found, clips)
    return {
        "run_id": run_id,
        "stratum": stratum,
        "fault": fault.value,
        "gross": fault in GROSS,
        "clips": clips,
        "found": found,
        "rate": rate.value,
        "low": rate.low,
        "high": rate.high,
        "auc": area,
    }
