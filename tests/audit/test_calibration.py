"""Calibration on synthetic evidence: who learns from whom, and what is too weak to judge."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.alignment.evidence import EVIDENCE
from asrdq.alignment.pocketsphinx import PocketSphinxAligner
from asrdq.audit.calibration import (
    ALL_STRATA,
    CALIBRATION_FROM,
    OWN_INSTRUMENT_FROM,
    Calibration,
    calibrate,
    speaker_folds,
)
from asrdq.audit.collection import EVIDENCE_TABLE
from asrdq.audit.detection import calibration_table, detection_table
from asrdq.audit.detectors import Detector, fit_detectors, suspicion
from asrdq.audit.faults import GROSS, PLANTED, Fault, PlantedClip
from asrdq.audit.judgement import Judgement, judge, score_trials
from asrdq.audit.selection import Clip
from asrdq.audit.trials import Trials, build_trials
from asrdq.settings import AuditSettings

BUDGET = 0.015
SETTINGS = AuditSettings(false_alarm_budget=BUDGET)
ALIGNER = PocketSphinxAligner()


def clip(number: int, stratum: str, speaker: str | None) -> Clip:
    return Clip(
        utt_id=f"{stratum}-{number:03}",
        stratum=stratum,
        inclusion_probability=1.0,
        audio_path="a.wav",
        path="/a.wav",
        offset_s=0.0,
        length_s=None,
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
    clips: Sequence[Clip], distance: dict[str, float], statuses: dict[str, str] | None = None
) -> Trials:
    """Clips with standard normal evidence; that of planted copies lies at the distance."""
    chance = np.random.default_rng(5)
    owners, planted, rows = [], [], []
    for one in clips:
        status = (statuses or {}).get(one.utt_id, "aligned")
        for fault in (Fault.UNTOUCHED, *PLANTED):
            shift = 0.0 if fault is Fault.UNTOUCHED else distance[one.stratum]
            evidence = chance.normal(shift, 1.0, len(EVIDENCE))
            owners.append(one)
            planted.append(PlantedClip(one.utt_id, fault, one.words))
            rows.append(row(evidence if status == "aligned" else None, status))
    table = pa.Table.from_pylist(rows, schema=EVIDENCE_TABLE)
    return build_trials(owners, planted, table, ALIGNER, AuditSettings())


def corpus(stratum: str, clips: int, speakers: int) -> list[Clip]:
    return [clip(number, stratum, f"s{number % speakers}") for number in range(clips)]


def judged(trials: Trials) -> tuple[dict[str, Calibration], pa.Table, Judgement]:
    instruments = calibrate(trials, EVIDENCE, BUDGET)
    scores, thresholds = score_trials(trials, instruments)
    table = calibration_table(trials, scores, instruments, run_id="r", settings=SETTINGS)
    verdicts = {one["stratum"]: one["verdict"] for one in table.to_pylist()}
    return instruments, table, judge(trials, scores, thresholds, verdicts, 0.5)


@given(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=60))
def test_folds_share_no_speaker_and_are_about_equal(speakers: list[str]) -> None:
    folds = speaker_folds(np.array(speakers))
    assert set(folds) == set(speakers)
    assert set(folds.values()) == set(range(min(5, len(set(speakers)))))
    sizes = [sum(folds[one] == fold for one in speakers) for fold in set(folds.values())]
    assert max(sizes) - min(sizes) <= max(speakers.count(one) for one in set(speakers))
    assert folds == speaker_folds(np.array(sorted(speakers, reverse=True)))


def test_no_clip_is_judged_by_detectors_that_saw_its_speaker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trials = trials_of(corpus("x", 60, 7), {"x": 3.0})
    speakers = sorted(set(trials.speakers))
    codes = np.array([speakers.index(speaker) for speaker in trials.speakers])
    trials.evidence[:, 0] = codes
    learned_from: list[set[str]] = []

    def watched(evidence: np.ndarray, *rest: object) -> tuple[Detector, ...]:
        learned_from.append({speakers[int(code)] for code in evidence[:, 0]})
        return fit_detectors(evidence, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("asrdq.audit.calibration.fit_detectors", watched)
    instrument = calibrate(trials, EVIDENCE, BUDGET)["x"]
    assert not instrument.by_clip
    assert (instrument.clips, instrument.planted, instrument.speakers) == (60, 480, 7)
    final = learned_from[-len(instrument.folds) :]
    assert len(final) == 5
    for speaker, fold in instrument.fold_of.items():
        assert speaker not in final[fold]
    assert set.union(*final) == set(speakers)


def test_one_speaker_is_split_by_clip() -> None:
    trials = trials_of(corpus("x", 40, 1), {"x": 3.0})
    instrument = calibrate(trials, EVIDENCE, BUDGET)["x"]
    assert instrument.by_clip
    assert instrument.speakers == 1
    assert set(instrument.fold_of) == {one.utt_id for one in trials.clips}


def test_a_stranger_is_judged_by_all_detectors() -> None:
    instrument = calibrate(trials_of(corpus("x", 40, 5), {"x": 3.0}), EVIDENCE, BUDGET)["x"]
    strange = trials_of([clip(0, "x", "nobody")], {"x": 3.0})
    everything = np.ones(len(strange.clips), np.bool_)
    by_fold = [suspicion(detectors, strange.evidence) for detectors in instrument.folds]
    assert np.allclose(instrument.score(strange, everything), np.mean(by_fold, axis=0))


def test_under_twenty_clips_nothing_is_calibrated_and_nothing_judged() -> None:
    trials = trials_of(corpus("x", CALIBRATION_FROM - 1, 5), {"x": 3.0})
    instruments, table, found = judged(trials)
    assert instruments == {}
    assert table["verdict"].to_pylist() == ["too_few"]
    assert table["threshold"].to_pylist() == [None]
    assert set(found.instrument) == {"too_few"}
    assert not found.judged.any()


def test_small_strata_share_an_instrument_and_large_ones_have_their_own() -> None:
    clips = [*corpus("large", OWN_INSTRUMENT_FROM, 6), *corpus("small", 12, 4)]
    instruments = calibrate(trials_of(clips, {"large": 3.0, "small": 3.0}), EVIDENCE, BUDGET)
    assert instruments["large"].fitted_on == "large"
    assert instruments["large"].clips == OWN_INSTRUMENT_FROM
    assert instruments["small"].fitted_on == ALL_STRATA
    assert instruments["small"].clips == OWN_INSTRUMENT_FROM + 12


@pytest.mark.parametrize("distance", [0.0, 0.2, 0.35])
def test_a_weak_stratum_is_not_judged_and_the_other_is(distance: float) -> None:
    clips = [*corpus("clean", 60, 6), *corpus("noisy", 60, 6)]
    trials = trials_of(clips, {"clean": 4.0, "noisy": distance})
    _, table, found = judged(trials)
    verdicts = dict(zip(table["stratum"].to_pylist(), table["verdict"].to_pylist(), strict=True))
    assert verdicts == {"clean": "ok", "noisy": "too_weak"}
    noisy = trials.strata == "noisy"
    assert set(found.instrument[noisy]) == {"too_weak"}
    assert set(found.instrument[~noisy]) == {"ok"}
    gross = np.isin(trials.faults, [fault.value for fault in GROSS])
    assert found.low_quality[~noisy & gross].mean() > 0.95
    assert found.low_quality[~noisy & trials.untouched].mean() <= 0.05


def test_detections_count_what_was_found_by_stratum_and_together() -> None:
    clips = [*corpus("a", 40, 5), *corpus("b", 40, 5)]
    trials = trials_of(clips, {"a": 5.0, "b": 5.0})
    instruments, _, found = judged(trials)
    scores, _ = score_trials(trials, instruments)
    verdicts = {"a": "ok", "b": "ok"}
    rows = detection_table(
        trials, scores, found.low_quality, instruments, verdicts, "r"
    ).to_pylist()
    assert {(one["stratum"], one["fault"]) for one in rows} == {
        (stratum, fault.value) for stratum in ("a", "b", None) for fault in Fault
    }
    for one in rows:
        chosen = (trials.faults == one["fault"]) & (
            True if one["stratum"] is None else trials.strata == one["stratum"]
        )
        if one["fault"] != "untouched":
            assert (one["clips"], one["found"]) == (
                int(chosen.sum()),
                int(found.low_quality[chosen].sum()),
            )
        assert one["low"] <= one["rate"] <= one["high"]
        assert one["gross"] == (one["fault"] not in ("untouched", "substituted_word"))


def test_a_clip_whose_aligner_broke_is_neither_good_nor_bad() -> None:
    clips = corpus("x", 40, 5)
    broken = {"x-001": "aligner_crashed", "x-002": "out_of_vocabulary", "x-003": "too_long"}
    trials = trials_of(clips, {"x": 4.0}, broken)
    _, table, found = judged(trials)
    assert table["clips"].to_pylist() == [37]
    for utt_id, status in broken.items():
        rows = trials.utt_ids == utt_id
        assert set(found.instrument[rows]) == {status}
        assert np.isnan(found.confidence[rows]).all()
        assert not found.judged[rows].any()


def test_no_alignment_has_no_confidence_left() -> None:
    trials = trials_of(corpus("x", 40, 5), {"x": 4.0}, {"x-001": "no_alignment"})
    _, _, found = judged(trials)
    assert set(found.confidence[trials.utt_ids == "x-001"]) == {0.0}
    assert found.low_quality[trials.utt_ids == "x-001"].all()


@pytest.mark.parametrize("status", ["no_alignment", "missing_audio"])
def test_a_stratum_without_one_alignment_is_no_instrument_and_no_error(status: str) -> None:
    clips = corpus("x", 40, 5)
    trials = trials_of(clips, {"x": 4.0}, {one.utt_id: status for one in clips})
    _, table, _ = judged(trials)
    assert table["verdict"].to_pylist() == ["too_weak"]


@pytest.mark.parametrize("status", ["missing_audio", "unreadable_audio", "empty_audio"])
def test_clips_without_audio_and_without_copies_are_bad_whatever_the_instrument(
    status: str,
) -> None:
    clips = corpus("x", 40, 5)
    table = pa.Table.from_pylist(
        [{**row(None, status), "duration_s": None, "voiced_s": None} for _ in clips],
        schema=EVIDENCE_TABLE,
    )
    copies = [PlantedClip(one.utt_id, Fault.UNTOUCHED, one.words) for one in clips]
    trials = build_trials(clips, copies, table, ALIGNER, AuditSettings())
    _, _, found = judged(trials)
    assert found.judged.all()
    assert found.low_quality.all()


def test_detectors_come_back_from_json() -> None:
    trials = trials_of(corpus("x", 40, 5), {"x": 3.0})
    instrument = calibrate(trials, EVIDENCE, BUDGET)["x"]
    written = json.loads(instrument.to_json())
    assert written["threshold"]["value"] == instrument.threshold.value
    for fold, detectors in zip(written["folds"], instrument.folds, strict=True):
        read = [Detector.from_dict(one) for one in fold]
        assert np.array_equal(
            suspicion(read, trials.evidence), suspicion(detectors, trials.evidence)
        )
    assert not any(speaker in instrument.to_json() for speaker in ("s0", "s1", "s2"))


def test_calibration_is_the_same_in_any_order_of_clips() -> None:
    clips = corpus("x", 40, 5)
    trials = trials_of(clips, {"x": 3.0})
    order = np.random.default_rng(2).permutation(len(trials.clips))
    shuffled = Trials(
        clips=tuple(trials.clips[index] for index in order),
        faults=trials.faults[order],
        speakers=trials.speakers[order],
        utt_ids=trials.utt_ids[order],
        strata=trials.strata[order],
        evidence=trials.evidence[order],
        strained=trials.strained[order],
        coverage=trials.coverage[order],
        chars_per_second=trials.chars_per_second[order],
        rules={reason: flags[order] for reason, flags in trials.rules.items()},
        judgeable=trials.judgeable[order],
        table=trials.table.take(pa.array(order)),
    )
    one = calibrate(trials, EVIDENCE, BUDGET)["x"]
    other = calibrate(shuffled, EVIDENCE, BUDGET)["x"]
    assert other.threshold.value == pytest.approx(one.threshold.value, abs=1e-3)


def test_detectors_without_anything_to_learn_score_nothing() -> None:
    none = np.zeros((0, len(EVIDENCE)))
    detectors = fit_detectors(none, EVIDENCE, np.zeros(0, "U1"), np.zeros(0, np.bool_))
    scores = suspicion(
        detectors, np.vstack([np.ones(len(EVIDENCE)), np.full(len(EVIDENCE), np.nan)])
    )
    assert list(scores) == [0.0, np.inf]


def test_a_stratum_that_strains_the_aligner_is_not_judged() -> None:
    trials = trials_of([*corpus("easy", 40, 5), *corpus("hard", 40, 5)], {"easy": 4.0, "hard": 4.0})
    hard = np.flatnonzero((trials.strata == "hard") & trials.untouched)
    trials.strained[hard[:24]] = True
    _, table, found = judged(trials)
    assert table["strained"].to_pylist() == [0.0, pytest.approx(0.6, abs=0.05)]
    assert table["verdict"].to_pylist() == ["ok", "too_weak"]
    assert set(found.instrument[trials.strata == "hard"]) == {"too_weak"}


def test_a_separation_that_nobody_knows_is_no_proof() -> None:
    trials = trials_of([*corpus("x", 40, 5), *corpus("y", 4, 2)], {"x": 4.0, "y": 4.0})
    instruments = calibrate(trials, EVIDENCE, BUDGET)
    trials.judgeable[(trials.strata == "y") & trials.untouched] = False
    scores, _ = score_trials(trials, instruments)
    table = calibration_table(trials, scores, instruments, run_id="r", settings=SETTINGS)
    assert table["verdict"].to_pylist() == ["ok", "too_weak"]


def test_evidence_of_other_names_goes_into_one_detector() -> None:
    chance = np.random.default_rng(5)
    faults = np.array([Fault.UNTOUCHED.value] * 60 + [Fault.SWAPPED_TEXT.value] * 60)
    evidence = np.vstack([chance.normal(0.0, 1.0, (60, 2)), chance.normal(4.0, 1.0, (60, 2))])
    [detector] = fit_detectors(evidence, ("doubt", "blur"), faults, faults == "untouched")
    scores = suspicion([detector], evidence)
    assert scores[60:].min() > np.median(scores[:60])
    assert np.mean(scores[60:, None] > scores[None, :60]) > 0.99


def test_an_aligner_without_evidence_is_not_calibrated() -> None:
    trials = trials_of(corpus("x", 40, 5), {"x": 4.0})
    assert calibrate(trials, (), BUDGET) == {}
