"""Calibration on synthetic evidence: who learns from whom, and which strata share."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import BUDGET, clip, corpus, trials_of

from asrdq.alignment.evidence import EVIDENCE
from asrdq.audit.calibration.detectors import Detector, fit_detectors, suspicion
from asrdq.audit.calibration.fitting import (
    ALL_STRATA,
    OWN_INSTRUMENT_FROM,
    calibrate,
    speaker_folds,
)
from asrdq.audit.trials import Group, Trials


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

    monkeypatch.setattr("asrdq.audit.calibration.fitting.fit_detectors", watched)
    instrument = calibrate(trials, EVIDENCE, BUDGET)[Group("x")]
    assert not instrument.by_clip
    assert (instrument.clips, instrument.planted, instrument.speakers) == (60, 480, 7)
    final = learned_from[-len(instrument.folds) :]
    assert len(final) == 5
    for speaker, fold in instrument.fold_of.items():
        assert speaker not in final[fold]
    assert set.union(*final) == set(speakers)


def test_one_speaker_is_split_by_clip() -> None:
    trials = trials_of(corpus("x", 40, 1), {"x": 3.0})
    instrument = calibrate(trials, EVIDENCE, BUDGET)[Group("x")]
    assert instrument.by_clip
    assert instrument.speakers == 1
    assert set(instrument.fold_of) == {one.utt_id for one in trials.clips}


def test_a_stranger_is_judged_by_all_detectors() -> None:
    instrument = calibrate(trials_of(corpus("x", 40, 5), {"x": 3.0}), EVIDENCE, BUDGET)[Group("x")]
    strange = trials_of([clip(0, "x", "nobody")], {"x": 3.0})
    everything = np.ones(len(strange.clips), np.bool_)
    by_fold = [
        suspicion(detectors, strange.evidence, strange.aligned) for detectors in instrument.folds
    ]
    assert np.allclose(instrument.score(strange, everything), np.mean(by_fold, axis=0))


def test_small_strata_share_an_instrument_and_large_ones_have_their_own() -> None:
    clips = [*corpus("large", OWN_INSTRUMENT_FROM, 6), *corpus("small", 12, 4)]
    instruments = calibrate(trials_of(clips, {"large": 3.0, "small": 3.0}), EVIDENCE, BUDGET)
    assert instruments[Group("large")].fitted_on == "large"
    assert instruments[Group("large")].clips == OWN_INSTRUMENT_FROM
    assert instruments[Group("small")].fitted_on == ALL_STRATA
    assert instruments[Group("small")].clips == OWN_INSTRUMENT_FROM + 12


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
        folds=trials.folds[order],
        aligned=trials.aligned[order],
        evidence=trials.evidence[order],
        strained=trials.strained[order],
        coverage=trials.coverage[order],
        chars_per_second=trials.chars_per_second[order],
        rules={reason: flags[order] for reason, flags in trials.rules.items()},
        duration_differs=trials.duration_differs[order],
        judgeable=trials.judgeable[order],
        table=trials.table.take(pa.array(order)),
    )
    one = calibrate(trials, EVIDENCE, BUDGET)[Group("x")]
    other = calibrate(shuffled, EVIDENCE, BUDGET)[Group("x")]
    assert other.threshold.value == pytest.approx(one.threshold.value, abs=1e-3)


def test_an_aligner_without_evidence_is_not_calibrated() -> None:
    trials = trials_of(corpus("x", 40, 5), {"x": 4.0})
    assert calibrate(trials, (), BUDGET) == {}
