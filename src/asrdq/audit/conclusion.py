"""From examined clips to what is said of them, and of the instrument that says it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from asrdq.alignment import Aligner
from asrdq.audit.calibration.thresholds import Thresholds
from asrdq.audit.detection import calibration_table, detection_table, group_verdicts
from asrdq.audit.judgement import Judgement, judge, score_trials
from asrdq.audit.trials import Trials
from asrdq.settings import AuditSettings


@dataclass(frozen=True)
class Conclusion:
    """What one instrument says.

    Attributes:
        judgement: Of every clip and copy.
        calibrations: What the instrument is worth (schema `CALIBRATIONS`).
        detections: What it found of the planted faults (schema `DETECTIONS`).
    """

    judgement: Judgement
    calibrations: pa.Table
    detections: pa.Table


def conclude(
    trials: Trials, aligner: Aligner, thresholds: Thresholds, settings: AuditSettings, run_id: str
) -> Conclusion:
    """Score and judge every clip and copy, and measure the instrument by the copies."""
    instruments = thresholds.instruments(
        trials, aligner.evidence_names, settings.false_alarm_budget
    )
    scores, limits = score_trials(trials, instruments)
    calibrations = calibration_table(
        trials,
        scores,
        instruments,
        run_id=run_id,
        settings=settings,
        can_prove=aligner.aligns_copies,
    )
    verdicts = group_verdicts(calibrations)
    judgement = judge(trials, scores, limits, verdicts, settings.confidence_minimum)
    detections = detection_table(
        trials, scores, judgement.low_quality, instruments, verdicts, run_id
    )
    return Conclusion(judgement, calibrations, detections)
