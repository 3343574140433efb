"""What an instrument is worth in a stratum, what it finds, and what it must not judge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from synthetic import ALIGNER, BUDGET, HEARD, SETTINGS, corpus, judged, row, trials_of

from asrdq.alignment.evidence import EVIDENCE
from asrdq.audit.calibration.fitting import CALIBRATION_FROM, calibrate
from asrdq.audit.collection import EVIDENCE_TABLE
from asrdq.audit.detection import calibration_table, detection_table, group_verdicts
from asrdq.audit.faults import GROSS, Fault, PlantedClip
from asrdq.audit.judgement import score_trials
from asrdq.audit.reasons import Reason
from asrdq.audit.trials import Group, Trials, build_trials
from asrdq.settings import AuditSettings

pytestmark = pytest.mark.slow


def test_under_twenty_clips_nothing_is_calibrated_and_nothing_judged() -> None:
    trials = trials_of(corpus("x", CALIBRATION_FROM - 1, 5), {"x": 3.0})
    instruments, table, found = judged(trials)
    assert instruments == {}
    assert table["verdict"].to_pylist() == ["too_few"]
    assert table["threshold"].to_pylist() == [None]
    assert set(found.instrument) == {"too_few"}
    assert not found.judged.any()


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
    verdicts = {Group("a"): "ok", Group("b"): "ok"}
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


def test_instruments_of_other_scales_separate_together_what_each_does_alone() -> None:
    trials = trials_of([*corpus("a", 40, 5), *corpus("b", 40, 5)], {"a": 5.0, "b": 5.0})
    instruments, _, found = judged(trials)
    scores, _ = score_trials(trials, instruments)
    verdicts = {Group("a"): "ok", Group("b"): "ok"}

    def areas(shift: float) -> dict[tuple[str | None, str], float | None]:
        moved = instruments[Group("b")]
        limit = replace(moved.threshold, value=moved.threshold.value + shift)
        shifted = {**instruments, Group("b"): replace(moved, threshold=limit)}
        there = np.where(trials.strata == "b", scores + shift, scores)
        table = detection_table(trials, there, found.low_quality, shifted, verdicts, "r")
        return {(row["stratum"], row["fault"]): row["auc"] for row in table.to_pylist()}

    assert areas(100.0) == pytest.approx(areas(0.0), nan_ok=False)
    assert areas(0.0)[None, "swapped_text"] == pytest.approx(1.0, abs=0.05)


def test_what_no_instrument_scored_has_no_area() -> None:
    trials = trials_of(corpus("x", 17, 5), {"x": 5.0})
    instruments, table, found = judged(trials)
    assert instruments == {}
    assert table["auc_gross"].to_pylist() == [None]
    scores, _ = score_trials(trials, instruments)
    verdicts = group_verdicts(table)
    rows = detection_table(
        trials, scores, found.low_quality, instruments, verdicts, "r"
    ).to_pylist()
    assert len(rows) > len(GROSS)
    assert {row["auc"] for row in rows} == {None}
    assert [row["fault"] for row in rows if row["stratum"] is None] == ["untouched"]
    assert [row["clips"] for row in rows if row["stratum"] is None] == [0]


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


@pytest.mark.parametrize(
    ("status", "verdict"), [("no_alignment", "too_weak"), ("missing_audio", "too_few")]
)
def test_a_stratum_without_one_alignment_is_no_instrument_and_no_error(
    status: str, verdict: str
) -> None:
    clips = corpus("x", 40, 5)
    trials = trials_of(clips, {"x": 4.0}, {one.utt_id: status for one in clips})
    _, table, _ = judged(trials)
    assert table["verdict"].to_pylist() == [verdict]


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


@pytest.mark.parametrize("status", ["missing_audio", "unreadable_audio", "segment_outside_audio"])
def test_files_that_cannot_be_read_change_neither_thresholds_nor_recalls(status: str) -> None:
    """Thirty per cent of such files, their copies among the planted ones."""
    whole, broken = corpus("x", 42, 6), corpus("x", 60, 6)[42:]
    trials = trials_of([*whole, *broken], {"x": 4.0}, {one.utt_id: status for one in broken})
    without = trials_of(whole, {"x": 4.0})
    assert np.array_equal(trials.evidence[: len(without.clips)], without.evidence)
    found, expected = measured(trials), measured(without)
    assert found == expected
    assert found[0]["clips"] == len(whole)
    assert {one["verdict"] for one in found if "verdict" in one} == {"ok"}


def measured(trials: Trials) -> list[dict[str, object]]:
    instruments, table, judgement = judged(trials)
    scores, _ = score_trials(trials, instruments)
    verdicts = group_verdicts(table)
    rows = detection_table(trials, scores, judgement.low_quality, instruments, verdicts, "r")
    return [*table.to_pylist(), *rows.to_pylist()]


def test_a_wrong_stated_duration_is_a_fact_and_neither_alarm_nor_detection() -> None:
    clips = corpus("x", 40, 5)
    halved = [replace(one, stated_s=1.0) for one in clips]
    trials, right = trials_of(halved, {"x": 4.0}), trials_of(clips, {"x": 4.0})
    assert trials.duration_differs.tolist() == trials.untouched.tolist()
    assert not right.duration_differs.any()
    assert measured(trials)[0] == measured(right)[0]
    false_alarms = [one for one in measured(trials) if one.get("fault") == "untouched"]
    assert [one["found"] for one in false_alarms] == [0, 0]
    planted = [one for one in measured(trials) if one.get("gross")]
    assert planted == [one for one in measured(right) if one.get("gross")]
    _, _, found = judged(trials)
    assert found.low_quality[trials.untouched].all()


def test_a_wrong_stated_duration_stands_where_nothing_can_be_calibrated() -> None:
    clips = [replace(one, stated_s=1.0) for one in corpus("x", 4, 2)]
    trials = trials_of(clips, {"x": 4.0}, {clips[0].utt_id: "out_of_vocabulary"})
    _, _, found = judged(trials)
    assert set(found.instrument[trials.untouched]) == {"ok"}
    assert found.low_quality[trials.untouched].all()
    assert set(found.instrument[~trials.untouched]) == {"too_few", "out_of_vocabulary"}


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
    assert table["auc_gross"].to_pylist()[1] is None


def test_a_judgement_leaves_the_trials_as_they_were() -> None:
    trials = trials_of(corpus("x", 40, 5), {"x": 4.0})
    _, _, found = judged(trials)
    assert Reason.LOW_CONFIDENCE not in trials.rules
    assert found.rules[Reason.LOW_CONFIDENCE].any()
    assert set(found.rules) == set(Reason) - set(HEARD)
