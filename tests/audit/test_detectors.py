"""The detectors by themselves: what they learn from, and evidence that does not apply."""

from __future__ import annotations

import json

import numpy as np
import pytest
from synthetic import BUDGET, corpus, trials_of

from asrdq.alignment.evidence import EVIDENCE
from asrdq.audit.calibration.detectors import Detector, fit_detectors, plans_for, suspicion
from asrdq.audit.calibration.fitting import calibrate
from asrdq.audit.faults import Fault
from asrdq.audit.trials import Group


def test_detectors_come_back_from_json() -> None:
    trials = trials_of(corpus("x", 40, 5), {"x": 3.0})
    instrument = calibrate(trials, EVIDENCE, BUDGET)[Group("x")]
    written = json.loads(instrument.to_json())
    assert written["threshold"]["value"] == instrument.threshold.value
    for fold, detectors in zip(written["folds"], instrument.folds, strict=True):
        read = [Detector.from_dict(one) for one in fold]
        assert np.array_equal(
            suspicion(read, trials.evidence, trials.aligned),
            suspicion(detectors, trials.evidence, trials.aligned),
        )
    assert not any(speaker in instrument.to_json() for speaker in ("s0", "s1", "s2"))


def test_detectors_without_anything_to_learn_score_nothing() -> None:
    none = np.zeros((0, len(EVIDENCE)))
    detectors = fit_detectors(none, EVIDENCE, np.zeros(0, "U1"), np.zeros(0, np.bool_))
    evidence = np.ones((2, len(EVIDENCE)))
    scores = suspicion(detectors, evidence, np.array([True, False]))
    assert list(scores) == [0.0, np.inf]


def test_evidence_of_other_names_goes_into_one_detector() -> None:
    chance = np.random.default_rng(5)
    faults = np.array([Fault.UNTOUCHED.value] * 60 + [Fault.SWAPPED_TEXT.value] * 60)
    evidence = np.vstack([chance.normal(0.0, 1.0, (60, 2)), chance.normal(4.0, 1.0, (60, 2))])
    [detector] = fit_detectors(evidence, ("doubt", "blur"), faults, faults == "untouched")
    scores = suspicion([detector], evidence, np.ones(120, np.bool_))
    assert scores[60:].min() > np.median(scores[:60])
    assert np.mean(scores[60:, None] > scores[None, :60]) > 0.99


def test_a_plan_takes_what_there_is_of_its_evidence_and_the_rest_has_one_of_its_own() -> None:
    plans = plans_for(("word_cost", "uncovered_voice", "edge_haste", "blur"))
    assert {plan.name: plan.evidence for plan in plans} == {
        "words": ("word_cost",),
        "ends": ("edge_haste",),
        "voice": ("uncovered_voice",),
        "all": ("blur",),
    }
    whole = plans_for(EVIDENCE)
    assert {name for plan in whole for name in plan.evidence} == set(EVIDENCE)
    assert [plan.name for plan in whole] == ["words", "ends", "voice"]


def test_evidence_that_does_not_apply_speaks_neither_for_nor_against() -> None:
    """NaN counts as the median of right clips, in learning and in judging."""
    trials = trials_of(corpus("x", 60, 6), {"x": 4.0})
    at = EVIDENCE.index("worst_silence")
    trials.evidence[:, at] = np.nan
    instrument = calibrate(trials, EVIDENCE, BUDGET)[Group("x")]
    everything = np.ones(len(trials.clips), np.bool_)
    scores = instrument.score(trials, everything)
    assert np.isfinite(scores).all()
    gross = ~trials.untouched & (trials.faults != Fault.SUBSTITUTED_WORD.value)
    assert (scores[gross] > instrument.threshold.value).mean() > 0.95
    assert (scores[trials.untouched] > instrument.threshold.value).mean() <= 0.05
    [voice] = [one for one in instrument.folds[0] if at in one.columns]
    assert voice.center[voice.columns.index(at)] == 0.0


def test_a_measure_that_applies_to_some_clips_is_learned_from_those() -> None:
    faults = np.array(["untouched"] * 4 + [Fault.SWAPPED_TEXT.value] * 2)
    evidence = np.array([[1.0], [2.0], [9.0], [np.nan], [20.0], [np.nan]])
    [detector] = fit_detectors(evidence, ("doubt",), faults, faults == "untouched")
    assert detector.center.tolist() == [2.0]
    # The standard deviation of 1, 2 and 9 is √(38/3).
    assert detector.spread[0] == pytest.approx(3.5590, abs=1e-4)
    scores = detector.score(evidence)
    assert scores[3] == scores[5] == scores[1]


def test_only_the_status_says_that_there_is_no_alignment() -> None:
    evidence = np.full((2, len(EVIDENCE)), np.nan)
    detectors = fit_detectors(evidence, EVIDENCE, np.array(["untouched"] * 2), np.ones(2, np.bool_))
    assert list(suspicion(detectors, evidence, np.array([True, False]))) == [0.0, np.inf]
