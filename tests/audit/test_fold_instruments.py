"""Out of fold every model has an instrument of its own: a weak one blinds its speakers alone."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import BUDGET, SETTINGS, clip, corpus, judged, trials_of

from asrdq.alignment.evidence import EVIDENCE
from asrdq.audit.calibration.fitting import calibrate
from asrdq.audit.calibration.thresholds import Source, Thresholds
from asrdq.audit.detection import calibration_table, detection_table, group_verdicts
from asrdq.audit.judgement import score_trials
from asrdq.audit.selection import Clip
from asrdq.audit.trials import Group, Trials

FOLDS: dict[str | None, str] = {"s0": "able", "s1": "able", "s2": "weak", "s3": "weak"}
STRENGTH = {"able": 4.0, "weak": 0.1}


def two_folds(clips: list[Clip] | None = None) -> Trials:
    return trials_of(clips or corpus("x", 160, 4), STRENGTH, folds=FOLDS)


def test_a_weak_model_blinds_the_clips_of_its_fold_and_no_others() -> None:
    trials = two_folds()
    instruments, table, found = judged(trials)
    assert group_verdicts(table) == {Group("x", "able"): "ok", Group("x", "weak"): "too_weak"}
    assert {row["fold"]: row["fitted_on"] for row in table.to_pylist()} == {
        "able": "x, able",
        "weak": "x, weak",
    }
    weak = trials.folds == "weak"
    assert set(found.instrument[weak]) == {"too_weak"}
    assert set(found.instrument[~weak]) == {"ok"}
    assert instruments[Group("x", "able")].clips == 80
    assert set(instruments[Group("x", "able")].fold_of) == {"s0", "s1"}


def test_the_instrument_of_a_model_is_what_it_would_be_alone() -> None:
    trials = two_folds()
    together = calibrate(trials, EVIDENCE, BUDGET)[Group("x", "able")]
    alone = calibrate(trials.chosen(trials.folds == "able"), EVIDENCE, BUDGET)[Group("x", "able")]
    assert together.threshold == alone.threshold
    assert together.to_json() == alone.to_json()


def test_one_instrument_for_both_models_would_be_too_weak_for_either() -> None:
    pooled = trials_of(corpus("x", 160, 4), STRENGTH, folds=FOLDS)
    pooled.folds[:] = ""
    _, table, found = judged(pooled)
    assert table["verdict"].to_pylist() == ["too_weak"]
    assert not found.judged.any()


def test_recall_and_false_alarms_are_of_the_models_that_judge() -> None:
    trials = two_folds()
    instruments, table, found = judged(trials)
    scores, _ = score_trials(trials, instruments)
    verdicts = group_verdicts(table)
    rows = detection_table(trials, scores, found.low_quality, instruments, verdicts, "r")
    counted = {
        (row["stratum"], row["fault"]): (row["clips"], row["found"]) for row in rows.to_pylist()
    }
    able = trials.folds == "able"
    swapped = able & (trials.faults == "swapped_text")
    expected = (80, int(found.low_quality[swapped].sum()))
    assert counted["x", "swapped_text"] == counted[None, "swapped_text"] == expected
    assert expected[1] > 70


def test_a_stratum_without_one_able_model_keeps_its_rows() -> None:
    trials = trials_of(corpus("x", 160, 4), {"able": 0.1, "weak": 0.1}, folds=FOLDS)
    instruments, table, found = judged(trials)
    assert set(group_verdicts(table).values()) == {"too_weak"}
    scores, _ = score_trials(trials, instruments)
    verdicts = group_verdicts(table)
    rows = detection_table(trials, scores, found.low_quality, instruments, verdicts, "r")
    counted = {(row["stratum"], row["fault"]): row["clips"] for row in rows.to_pylist()}
    assert counted["x", "swapped_text"] == 160
    assert (None, "swapped_text") not in counted


@pytest.mark.parametrize(
    ("sizes", "fitted_on"),
    [
        # Clips of stratum x by a, of y by a, of x by b, of y by b; what judges x by a.
        ((30, 0, 30, 0), "x, a"),
        ((29, 1, 30, 0), "all strata, a"),
        ((20, 5, 30, 0), "x"),
        ((10, 5, 10, 5), "all strata"),
        ((5, 5, 5, 4), None),
    ],
)
def test_few_clips_are_judged_by_the_nearest_that_are_enough(
    sizes: tuple[int, int, int, int], fitted_on: str | None
) -> None:
    places = [("x", "a"), ("y", "a"), ("x", "b"), ("y", "b")]
    clips = [
        clip(100 * at + number, stratum, f"{fold}{number % 3}")
        for at, ((stratum, fold), size) in enumerate(zip(places, sizes, strict=True))
        for number in range(size)
    ]
    folds: dict[str | None, str] = {f"{fold}{at}": fold for fold in "ab" for at in range(3)}
    instruments = calibrate(trials_of(clips, {"a": 3.0, "b": 3.0}, folds=folds), EVIDENCE, BUDGET)
    found = instruments.get(Group("x", "a"))
    assert (found.fitted_on if found else None) == fitted_on


def test_thresholds_from_elsewhere_serve_every_model() -> None:
    trials = two_folds()
    own = calibrate(trials, EVIDENCE, BUDGET)[Group("x", "able")]
    shipped = Thresholds(Source.SHIPPED, "shipped", shipped=own)
    instruments = shipped.instruments(trials, EVIDENCE, BUDGET)
    assert list(instruments) == [Group("x", "able"), Group("x", "weak")]
    scores, limits = score_trials(trials, instruments)
    assert np.isfinite(scores[trials.aligned]).all()
    assert set(limits) == {own.threshold.value}
    table = calibration_table(trials, scores, instruments, run_id="r", settings=SETTINGS)
    assert table["fold"].to_pylist() == ["able", "weak"]
