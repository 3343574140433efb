"""Clips with evidence out of a random generator, so that the truth about them is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from asrdq.alignment.evidence import EVIDENCE
from asrdq.alignment.pocketsphinx import PocketSphinxAligner
from asrdq.audit.calibration.fitting import Calibration, calibrate
from asrdq.audit.collection import EVIDENCE_TABLE
from asrdq.audit.detection import calibration_table, group_verdicts
from asrdq.audit.faults import PLANTED, Fault, PlantedClip
from asrdq.audit.judgement import Judgement, judge, score_trials
from asrdq.audit.reasons import Reason
from asrdq.audit.selection import Clip
from asrdq.audit.trials import Group, Trials, build_trials
from asrdq.settings import AuditSettings

BUDGET = 0.015
SETTINGS = AuditSettings(false_alarm_budget=BUDGET)
ALIGNER = PocketSphinxAligner()
HEARD = (
    Reason.HYPOTHESIS_DIFFERS,
    Reason.HYPOTHESIS_EDGE_DIFFERS,
    Reason.HYPOTHESIS_LENGTH_DIFFERS,
)
"""Reasons that come from what a recogniser heard, not from the alignment."""


def clip(number: int, stratum: str, speaker: str | None) -> Clip:
    return Clip(
        utt_id=f"{stratum}-{number:03}",
        stratum=stratum,
        inclusion_probability=1.0,
        audio_path="a.wav",
        path="/a.wav",
        offset_s=0.0,
        length_s=None,
        stated_s=2.0,
        text="twenty letters it has",
        words=("twenty", "letters", "it", "has"),
        characters=18,
        language="en",
        speaker=speaker,
        audio_hash="hash",
    )


def row(evidence: np.ndarray | None, status: str) -> dict[str, object]:
    return {
        "key": "k",
        "status": status,
        "detail": "",
        "duration_s": 2.0,
        "voiced_s": 1.8,
        "text_coverage": 1.0,
        "speech_coverage": 1.0,
        "evidence": [] if evidence is None else list(zip(EVIDENCE, evidence, strict=True)),
        "spans": [],
    }


def trials_of(
    clips: Sequence[Clip],
    distance: dict[str, float],
    statuses: dict[str, str] | None = None,
    folds: dict[str | None, str] | None = None,
) -> Trials:
    """Clips with standard normal evidence; that of planted copies lies at the distance.

    The distance is that of the stratum, or of the fold of the speaker.
    """
    chance = np.random.default_rng(5)
    owners, planted, rows = [], [], []
    for one in clips:
        status = (statuses or {}).get(one.utt_id, "aligned")
        for fault in (Fault.UNTOUCHED, *PLANTED):
            near = distance[folds[one.speaker] if folds else one.stratum]
            shift = 0.0 if fault is Fault.UNTOUCHED else near
            evidence = chance.normal(shift, 1.0, len(EVIDENCE))
            owners.append(one)
            planted.append(PlantedClip(one.utt_id, fault, one.words))
            rows.append(row(evidence if status == "aligned" else None, status))
    table = pa.Table.from_pylist(rows, schema=EVIDENCE_TABLE)
    judges = [folds[one.speaker] for one in owners] if folds else None
    return build_trials(owners, planted, table, ALIGNER, AuditSettings(), judges)


def corpus(stratum: str, clips: int, speakers: int) -> list[Clip]:
    return [clip(number, stratum, f"s{number % speakers}") for number in range(clips)]


def judged(trials: Trials) -> tuple[dict[Group, Calibration], pa.Table, Judgement]:
    instruments = calibrate(trials, EVIDENCE, BUDGET)
    scores, thresholds = score_trials(trials, instruments)
    table = calibration_table(trials, scores, instruments, run_id="r", settings=SETTINGS)
    found = judge(trials, scores, thresholds, group_verdicts(table), 0.5)
    return instruments, table, found
