"""What the audit finds of planted faults: recall, false alarms, separation, with intervals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from asrdq.audit.calibration import Calibration, separation
from asrdq.audit.faults import GROSS, PLANTED, Fault
from asrdq.audit.reasons import NO_INSTRUMENT, TOO_WEAK
from asrdq.audit.tables import CALIBRATIONS, DETECTIONS
from asrdq.audit.trials import Flags, Numbers, Trials
from asrdq.sampling.estimators import wilson

OK: Final = "ok"
SHIPPED: Final = "shipped"


def calibration_table(
    trials: Trials,
    scores: Numbers,
    instruments: dict[str, Calibration],
    *,
    run_id: str,
    budget: float,
    minimum_auc: float,
) -> pa.Table:
    """Say for each stratum whether its instrument can judge it (schema `CALIBRATIONS`).

    An instrument is too weak where it hardly separates some gross fault from right clips.
    Without planted faults nothing is proven: `shipped`; with too few clips: `too_few`.
    """
    rows = []
    for stratum in sorted(set(trials.strata.tolist())):
        inside = trials.judgeable & (trials.strata == stratum)
        instrument = instruments.get(stratum)
        planted = inside & ~trials.untouched
        area = least_separation(trials, scores, inside, instrument)
        rows.append(
            {
                "run_id": run_id,
                "stratum": stratum,
                "verdict": _verdict(instrument, planted, area, minimum_auc),
                "clips": int((inside & trials.untouched).sum()),
                "planted": int(planted.sum()),
                "speakers": len(set(trials.speakers[inside].tolist())),
                "auc_gross": area,
                "threshold": instrument.threshold.value if instrument else None,
                "false_alarm_budget": budget,
                "fitted_on": instrument.fitted_on if instrument else None,
                "model": instrument.to_json() if instrument else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=CALIBRATIONS)


def least_separation(
    trials: Trials, scores: Numbers, inside: Flags, instrument: Calibration | None
) -> float | None:
    """Return the smallest area under the ROC curve over the gross faults planted in a stratum."""
    hidden = instrument.threshold.hidden_share if instrument else 0.0
    untouched = scores[inside & trials.untouched]
    areas = [
        separation(untouched, scores[inside & (trials.faults == fault.value)], hidden)
        for fault in GROSS
        if (inside & (trials.faults == fault.value)).any()
    ]
    return min(areas, default=None)


def _verdict(
    instrument: Calibration | None, planted: Flags, area: float | None, minimum_auc: float
) -> str:
    if instrument is None:
        return NO_INSTRUMENT
    if not planted.any() or area is None or not np.isfinite(area):
        return SHIPPED
    return OK if area >= minimum_auc else TOO_WEAK


def detection_table(
    trials: Trials,
    scores: Numbers,
    low_quality: Flags,
    instruments: dict[str, Calibration],
    run_id: str,
) -> pa.Table:
    """Count what was found, by stratum and fault and for all strata (schema `DETECTIONS`)."""
    rows: list[dict[str, Any]] = []
    names: Iterable[str | None] = [*sorted(set(trials.strata.tolist())), None]
    for stratum in names:
        inside = trials.judgeable & ((trials.strata == stratum) if stratum is not None else True)
        rows.append(_false_alarms(trials, low_quality, instruments, inside, run_id, stratum))
        for fault in PLANTED:
            chosen = inside & (trials.faults == fault.value)
            if not chosen.any():
                continue
            hidden = _hidden_clips(trials, instruments, inside) / max(
                1, int((inside & trials.untouched).sum())
            )
            area = separation(scores[inside & trials.untouched], scores[chosen], hidden)
            found, clips = int(low_quality[chosen].sum()), int(chosen.sum())
            rows.append(_row(run_id, stratum, fault, clips, found, area))
    return pa.Table.from_pylist(rows, schema=DETECTIONS)


def _hidden_clips(trials: Trials, instruments: dict[str, Calibration], inside: Flags) -> float:
    """Estimate how many untouched clips are really faulty."""
    total = 0.0
    for stratum, instrument in instruments.items():
        clips = int((inside & trials.untouched & (trials.strata == stratum)).sum())
        total += clips * instrument.threshold.hidden_share
    return total


def _false_alarms(
    trials: Trials,
    low_quality: Flags,
    instruments: dict[str, Calibration],
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
