"""One language of a calibration: fitted on half of its speakers, measured on the others."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from asrdq.alignment import Aligner
from asrdq.audit.calibration.costs import group_costs
from asrdq.audit.calibration.fitting import ALL_STRATA, Calibration, calibrate
from asrdq.audit.calibration.halves import fitted_half
from asrdq.audit.detection import calibration_table, detection_table
from asrdq.audit.faults import Fault
from asrdq.audit.judgement import judge, score_trials
from asrdq.audit.reasons import InstrumentStatus
from asrdq.audit.trials import Flags, Group, Names, Numbers, Trials, number_column
from asrdq.calibration_settings import CalibratedGroup, Halves, MeasuredShare
from asrdq.settings import AuditSettings

_DIGITS: Final = 6
_WHOLE: Final = "\x01"
"""The group of all clips, where no column divides a language."""


@dataclass(frozen=True)
class LanguageFit:
    """One language: what goes into the tables, and what into `asrdq.yaml`.

    Attributes:
        groups: The groups that got a threshold.
        instruments: Their instruments by the value of the column.
        halves_by: `speaker`, or `clip` where one person speaks all or nobody is named.
        group_rows: Rows of `calibration_groups`, for all groups.
        check_rows: Rows of `calibration_checks`.
        cost_rows: Rows of `calibration_costs`.
    """

    groups: tuple[CalibratedGroup, ...]
    instruments: Mapping[str | None, Calibration]
    halves_by: str
    group_rows: list[dict[str, Any]]
    check_rows: list[dict[str, Any]]
    cost_rows: list[dict[str, Any]]


def fit_language(
    trials: Trials,
    values: Mapping[str, str | None],
    aligner: Aligner,
    settings: AuditSettings,
    seed: int,
    run_id: str,
) -> LanguageFit:
    """Fit on one half of the speakers of a language, and measure on the other.

    Args:
        trials: Clips of the language and copies with planted faults.
        values: Value of the dividing column of each clip by its id; None where there is none.
        aligner: Whose evidence it is.
        settings: Limits and the false-alarm budget.
        seed: Of the halves.
        run_id: For the rows.
    """
    language = trials.clips[0].language
    labels = [_label(values[clip.utt_id]) for clip in trials.clips]
    trials = dataclasses.replace(trials, strata=np.array(labels, dtype=np.str_))
    names, halves_by = _dealt(trials)
    learn = fitted_half(names, trials.strata, seed)
    fitting, checking = trials.chosen(learn), trials.chosen(~learn)
    found = calibrate(fitting, aligner.evidence_names, settings.false_alarm_budget)
    measured = _measure(checking, found, settings, run_id)
    groups: list[CalibratedGroup] = []
    rows: list[dict[str, Any]] = []
    for label in sorted(set(labels)):
        value, instrument = _value(label), found.get(Group(label))
        sizes = _sizes(fitting, checking, label, halves_by)
        own = measured.of(label)
        verdict = _verdict(instrument, measured.calibrations.get(label), own)
        if instrument is not None and verdict == InstrumentStatus.OK:
            groups.append(_group(value, instrument, language, own, sizes))
        rows.append(
            {
                "run_id": run_id,
                "aligner": aligner.name,
                "aligner_version": aligner.version,
                "false_alarm_budget": settings.false_alarm_budget,
                **_group_row(value, instrument, language, verdict, sizes),
                **measured.worth(label),
            }
        )
    return LanguageFit(
        groups=tuple(groups),
        instruments={one.value: found[Group(_label(one.value))] for one in groups},
        halves_by=halves_by,
        group_rows=rows,
        check_rows=[
            {**row, "language": language, "value": _value(label)}
            for label, _ in sorted(found)
            for row in measured.of(label)
        ],
        cost_rows=[
            {**row, "run_id": run_id, "language": language, "value": _value(label)}
            for label, _ in sorted(found)
            for row in measured.costs(checking, label, _manifest_hours(trials, label))
        ],
    )


@dataclass(frozen=True)
class _Measured:
    """What instruments do on clips that they were not fitted on."""

    scores: Numbers
    low_quality: Flags
    calibrations: Mapping[str, dict[str, Any]]
    detections: list[dict[str, Any]]

    def of(self, label: str) -> list[dict[str, Any]]:
        """Return what was found in a group, by fault."""
        rows = self.detections
        return [row for row in rows if row["stratum"] == label and row["rate"] is not None]

    def worth(self, label: str) -> dict[str, float | None]:
        """Return how well faults differ from right clips, and how many of those take effort."""
        row = self.calibrations.get(label, {})
        return {name: row.get(name) for name in ("auc_gross", "strained")}

    def costs(self, checking: Trials, label: str, manifest_h: float) -> list[dict[str, Any]]:
        """Return the rows of costs of a group; none where no clip of it was checked."""
        inside = checking.usable & (checking.strata == label)
        if not inside.any():
            return []
        return group_costs(checking, self.scores, self.low_quality, inside, manifest_h)


def _measure(
    checking: Trials, found: Mapping[Group, Calibration], settings: AuditSettings, run_id: str
) -> _Measured:
    scores, limits = score_trials(checking, found)
    table = calibration_table(checking, scores, found, run_id=run_id, settings=settings)
    judged = dict.fromkeys(found, InstrumentStatus.OK.value)
    low = judge(checking, scores, limits, judged, settings.confidence_minimum).low_quality
    return _Measured(
        scores=scores,
        low_quality=low,
        calibrations={row["stratum"]: row for row in table.to_pylist()},
        detections=detection_table(checking, scores, low, found, judged, run_id).to_pylist(),
    )


def _label(value: str | None) -> str:
    return _WHOLE if value is None else value


def _value(label: str) -> str | None:
    return None if label == _WHOLE else label


def _dealt(trials: Trials) -> tuple[Names, str]:
    """Return what is dealt to the halves, and whether that are speakers or clips."""
    known = {clip.speaker for clip in trials.clips} - {None}
    return (trials.speakers, "speaker") if len(known) > 1 else (trials.utt_ids, "clip")


def _verdict(
    instrument: Calibration | None, checked: dict[str, Any] | None, found: list[dict[str, Any]]
) -> str:
    alarms = any(row["fault"] == Fault.UNTOUCHED for row in found)
    if instrument is None or checked is None or not alarms:
        return InstrumentStatus.TOO_FEW.value
    if not math.isfinite(instrument.threshold.value):
        return InstrumentStatus.TOO_WEAK.value
    verdict = str(checked["verdict"])
    unproven = (InstrumentStatus.SHIPPED.value, InstrumentStatus.STORED.value)
    return InstrumentStatus.TOO_FEW.value if verdict in unproven else verdict


def _sizes(fitting: Trials, checking: Trials, label: str, halves_by: str) -> dict[str, Halves]:
    def count(trials: Trials) -> tuple[int, int]:
        rows = trials.usable & trials.untouched & (trials.strata == label)
        speakers = set(trials.speakers[rows].tolist()) if halves_by == "speaker" else set()
        return int(rows.sum()), len(speakers)

    (fit_clips, fit_speakers), (check_clips, check_speakers) = count(fitting), count(checking)
    return {
        "clips": Halves(fitted=fit_clips, checked=check_clips),
        "speakers": Halves(fitted=fit_speakers, checked=check_speakers),
    }


def _fitted_on(instrument: Calibration, language: str) -> str:
    if instrument.fitted_on in (ALL_STRATA, _WHOLE):
        return f"all of {language}"
    return instrument.fitted_on


def _group_row(
    value: str | None,
    instrument: Calibration | None,
    language: str,
    verdict: str,
    sizes: dict[str, Halves],
) -> dict[str, Any]:
    """Return what is known of a group, whether or not it got a threshold."""
    return {
        "language": language,
        "value": value,
        "stored": verdict == InstrumentStatus.OK,
        "verdict": verdict,
        "fitted_on": _fitted_on(instrument, language) if instrument else None,
        "threshold": instrument.threshold.value if instrument else None,
        "clips_fitted": sizes["clips"].fitted,
        "clips_checked": sizes["clips"].checked,
        "speakers_fitted": sizes["speakers"].fitted,
        "speakers_checked": sizes["speakers"].checked,
    }


def _group(
    value: str | None,
    instrument: Calibration,
    language: str,
    found: list[dict[str, Any]],
    sizes: dict[str, Halves],
) -> CalibratedGroup:
    shares = {
        row["fault"]: MeasuredShare(
            clips=row["clips"],
            **{name: round(row[name], _DIGITS) for name in ("rate", "low", "high")},
        )
        for row in found
    }
    return CalibratedGroup(
        value=value,
        threshold=round(instrument.threshold.value, _DIGITS),
        fitted_on=_fitted_on(instrument, language),
        **sizes,
        false_alarms=shares.pop(Fault.UNTOUCHED.value),
        recall=shares,
    )


def _manifest_hours(trials: Trials, label: str) -> float:
    """Return the hours of the manifest that the sampled clips of a group stand for."""
    rows: Flags = trials.untouched & (trials.strata == label)
    seconds = np.nan_to_num(number_column(trials.table["duration_s"]))[rows]
    chances = np.array([c.inclusion_probability for c in trials.clips], np.float64)[rows]
    return float((seconds / chances).sum() / 3600.0)
