"""Measurements on hand-made paths; every value is worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asrdq.alignment.evidence import (
    EVIDENCE,
    PlacedPhone,
    PlacedWord,
    fit_of_word_runs,
    measure_evidence,
)


def word(text: str, start: int, *phones: tuple[int, float]) -> PlacedWord:
    """A word of phones given as (frames, cost a frame)."""
    placed = tuple(PlacedPhone("X", frames, -frames * cost) for frames, cost in phones)
    return PlacedWord(text, start, sum(frames for frames, _ in phones), placed)


@pytest.fixture(scope="module")
def measured() -> dict[str, float]:
    """Four words and three silences in 200 frames, of which 0–29 and 100–179 have voice."""
    path = [
        word("<sil>", 0, (10, 0.5)),
        word("ab", 10, (10, 1.0), (10, 1.0)),
        word("cd", 30, (2, 1.0), (3, 6.0)),
        word("[NOISE]", 35, (65, 2.0)),
        word("efgh", 100, (4, 1.0), (6, 1.0), (10, 2.0)),
        word("ij", 120, (20, 1.0)),
        word("</s>", 140, (60, 1.0)),
    ]
    voiced = np.zeros(20, np.bool_)
    voiced[0:3] = voiced[10:18] = True
    return measure_evidence(path, voiced, 200, needed_wide_beams=True)


def test_every_measure_is_there_in_order(measured: dict[str, float]) -> None:
    assert tuple(measured) == EVIDENCE


def test_fit_of_phones(measured: dict[str, float]) -> None:
    # Costs a frame: 1 1 | 1 6 | 1 1 2 | 1, median 1; lengths 10 10 2 3 4 6 10 20.
    assert measured["word_cost"] == pytest.approx((10 + 10 + 2 + 18 + 4 + 6 + 20 + 20) / 65)
    # The 95th percentile of 1×6, 2, 6 lies at 6.65 of 0…7: 2 + 0.65 · 4.
    assert measured["weak_phones"] == pytest.approx(4.6)
    assert measured["weakest_word"] == pytest.approx(3.5)
    assert measured["weakest_word_excess"] == pytest.approx(5 / math.sqrt(2))
    # Of five phones in a row the worst hold the 6 and the 2: excess (5 + 1) ÷ 5.
    assert measured["weakest_run_excess"] == pytest.approx(1.2)
    assert measured["short_phones"] == pytest.approx(2 / 8)
    assert measured["wide_beams"] == 1.0


def test_fit_of_runs_of_words(measured: dict[str, float]) -> None:
    # Words: frames 20 5 20 20, letters 2 2 4 2, costs 20 20 30 20. Runs of three words:
    # frames 45 and 45, costs 70 and 70, letters 8 and 8; medians 1.25 a frame, 7.5 a letter.
    assert measured["word_run_cost"] == pytest.approx(70 / 45)
    assert measured["word_run_excess"] == pytest.approx(70 / 45 - 1.25)
    assert measured["edge_excess"] == pytest.approx(70 / 45 - 1.25)
    assert measured["word_run_haste"] == pytest.approx(math.log(7.5 * 8 / 45))
    assert measured["edge_haste"] == pytest.approx(math.log(7.5 * 8 / 45))


def test_voice_outside_of_words(measured: dict[str, float]) -> None:
    # Widened by 10 frames the words reach from 0 to 45 and from 90 to 150; of the 11 voiced
    # parts of 10 frames those at 150, 160 and 170 lie outside, 0.3 s in a row.
    assert measured["uncovered_voice"] == pytest.approx(3 / 11)
    assert measured["longest_uncovered_s"] == pytest.approx(math.log1p(0.3))


def test_fit_of_silences(measured: dict[str, float]) -> None:
    # The first is too short for the cost a frame; the total of the second is 130.
    assert measured["worst_silence"] == pytest.approx(2.0)
    assert measured["total_silence"] == pytest.approx(math.log1p(130))


def test_one_perfect_word_has_no_evidence_against_it() -> None:
    found = measure_evidence(
        [word("ab", 0, (10, 0.0))], np.ones(3, np.bool_), 10, needed_wide_beams=False
    )
    assert found == dict.fromkeys(EVIDENCE, 0.0)


def test_no_voice_is_no_uncovered_voice() -> None:
    for frames in (0, 3):
        voiced = np.zeros(frames, np.bool_)
        found = measure_evidence([word("ab", 0, (10, 1.0))], voiced, 10, needed_wide_beams=False)
        assert found["uncovered_voice"] == found["longest_uncovered_s"] == 0.0


def test_words_of_no_frames_cost_nothing_undefined() -> None:
    path = [word("ab", 0, (0, 0.0)), word("cd", 0, (10, 1.0))]
    found = measure_evidence(path, np.ones(3, np.bool_), 10, needed_wide_beams=False)
    assert all(math.isfinite(value) for value in found.values())


def test_words_squeezed_in_at_the_end_are_hasty_and_costly() -> None:
    frames = np.array([30, 30, 30, 30, 3, 3, 3])
    letters = np.array([3, 3, 3, 3, 3, 3, 3])
    costs = np.array([30.0, 30.0, 30.0, 30.0, 9.0, 9.0, 9.0])
    found = fit_of_word_runs(frames, letters, costs)
    # The last three words: 27 in 9 frames against 1 a frame; ten times as fast as usual.
    assert found["edge_excess"] == found["word_run_excess"] == pytest.approx(2.0)
    assert found["edge_haste"] == found["word_run_haste"] == pytest.approx(math.log(10.0))


def test_words_squeezed_in_the_middle_are_not_at_an_edge() -> None:
    frames = np.array([30, 30, 30, 3, 3, 3, 30, 30, 30])
    found = fit_of_word_runs(frames, np.full(9, 3), frames * 1.0)
    assert found["word_run_haste"] == pytest.approx(math.log(10.0))
    assert found["edge_haste"] == pytest.approx(0.0)


def test_a_text_shorter_than_a_run_is_one_run() -> None:
    found = fit_of_word_runs(np.array([10, 20]), np.array([2, 2]), np.array([10.0, 50.0]))
    # 60 in 30 frames against the median of 1 and 2.5; 7.5 frames a letter both ways.
    assert found["word_run_cost"] == pytest.approx(2.0)
    assert found["edge_excess"] == pytest.approx(0.25)
    assert found["edge_haste"] == pytest.approx(0.0)
