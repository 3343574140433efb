"""What thresholds cost: good hours lost to false alarms, bad hours kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from asrdq.audit.calibration.threshold import find_threshold
from asrdq.audit.detection import MOST_HIDDEN
from asrdq.audit.faults import GROSS
from asrdq.audit.trials import Flags, Numbers, Trials, number_column
from asrdq.sampling.estimators import Rate, wilson


def share_of_hours(hours: Numbers, chosen: Flags) -> Rate:
    """Return the share of hours that is chosen, with a 95 % interval.

    The interval is Wilson's with as many trials as the clips are worth, (Σ h)² ÷ Σ h² (Kish 1965),
    so that a few long clips count as few.

    >>> str(share_of_hours(np.array([1.0, 1.0]), np.array([True, False])))
    '50.0 % [9.5, 90.5]'
    """
    total = float(hours.sum())
    if not total:
        return wilson(0, 0)
    worth = total**2 / float(np.square(hours).sum())
    return wilson(worth * float(hours[chosen].sum()) / total, worth)


def group_costs(
    trials: Trials, scores: Numbers, low_quality: Flags, inside: Flags, manifest_h: float
) -> list[dict[str, Any]]:
    """Return what the thresholds cost in one group, measured on clips they were not fitted on.

    Args:
        trials: Untouched clips and copies with planted faults.
        scores: Of each entry, (n,).
        low_quality: Whether each entry is flagged, (n,).
        inside: The entries of the group, (n,).
        manifest_h: Hours of the group in the manifest.

    Returns:
        A row for `good hours lost` (untouched clips flagged, less the share that is estimated to be
        really faulty) and one for `bad hours kept` (gross planted faults not found, each kind
        counting the same). `expected_h` are hours of the manifest, at the estimated share of bad
        clips.
    """
    hours = np.nan_to_num(number_column(trials.table["duration_s"])) / 3600.0
    untouched = inside & trials.untouched & ~trials.duration_differs
    gross = [inside & (trials.faults == fault.value) for fault in GROSS]
    planted = np.any(gross, axis=0) if gross else np.zeros_like(inside)
    hidden = find_threshold(scores[untouched], scores[planted], 0.1).hidden_share
    bad = min(hidden, MOST_HIDDEN)
    right = 1.0 - bad
    flagged = share_of_hours(hours[untouched], low_quality[untouched])
    lost = _right_only(flagged, bad, float(hours[untouched].sum()), hours[untouched])
    kept = _each_kind_alike([share_of_hours(hours[one], ~low_quality[one]) for one in gross])
    return [
        _row("good hours lost", lost, float(hours[untouched].sum()) * right, manifest_h * right),
        _row("bad hours kept", kept, float(hours[planted].sum()), manifest_h * bad),
    ]


def _right_only(flagged: Rate, bad: float, total_h: float, hours: Numbers) -> Rate:
    """Take the estimated share of really faulty hours out of those that are flagged."""
    if flagged.value is None:
        return flagged
    worth = total_h**2 / float(np.square(hours).sum()) * (1.0 - bad)
    return wilson(min(1.0, max(0.0, flagged.value - bad) / (1.0 - bad)) * worth, worth)


def _each_kind_alike(rates: list[Rate]) -> Rate:
    """Return the mean over kinds of faults that were tried, and the mean of their limits."""
    known = [rate for rate in rates if rate.value is not None]
    if not known:
        return wilson(0, 0)
    return Rate(
        float(np.mean([rate.value for rate in known])),
        float(np.mean([rate.low for rate in known])),
        float(np.mean([rate.high for rate in known])),
    )


def _row(cost: str, rate: Rate, checked_h: float, of_h: float) -> dict[str, Any]:
    expected = None if rate.value is None else rate.value * of_h
    return {
        "cost": cost,
        "checked_h": checked_h,
        "share": rate.value,
        "low": rate.low,
        "high": rate.high,
        "of_h": of_h,
        "expected_h": expected,
        "low_h": rate.low * of_h,
        "high_h": rate.high * of_h,
    }
