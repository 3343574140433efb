"""Coverage and length by hand, and at the limits of what is plausible."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asrdq.alignment import WordSpan
from asrdq.audit.coverage import covered_frames, is_length_mismatch, measure_coverage

ALL_VOICED = np.ones(100, np.bool_)
"""Three seconds in frames of 30 ms."""


def plausible(span: WordSpan, duration_s: float = 10.0) -> bool:
    return measure_coverage([span], 1, ALL_VOICED, 0.03, duration_s).plausible[0]


@pytest.mark.parametrize(
    ("word", "start_s", "end_s", "expected"),
    [
        ("a", 1.0, 1.031, True),
        ("a", 1.0, 1.029, False),
        ("a", 0.0, 2.249, True),
        ("a", 0.0, 2.251, False),
        ("abcd", 0.0, 2.999, True),
        ("abcd", 0.0, 3.001, False),
        ("a", 1.1, 1.13, True),  # 29.99…9 ms to a float
        ("a", 3.3 - 1.1 * 3, 0.5, True),  # begins 4e-16 s before the clip
        ("a", -0.029, 0.5, True),
        ("a", -0.031, 0.5, False),
        ("a", 9.5, 10.029, True),
        ("a", 9.0, 10.0, True),
        ("a", 9.0, 10.1, False),
        ("a", 2.0, 1.0, False),
        ("a", math.nan, 1.0, False),
        ("a", 0.0, math.inf, False),
    ],
)
def test_a_plausible_span(word: str, start_s: float, end_s: float, expected: bool) -> None:
    assert plausible(WordSpan(word, start_s, end_s)) is expected


def test_text_coverage_counts_the_words_of_the_transcript() -> None:
    spans = [WordSpan("one", 0.0, 0.3), WordSpan("two", 0.3, 0.301)]
    found = measure_coverage(spans, 4, ALL_VOICED, 0.03, 3.0)
    assert found.plausible == (True, False)
    assert found.text == 0.25
    assert found.lower == min(found.text, found.speech)


def test_speech_coverage_by_hand() -> None:
    # Ten frames of 0.1 s, voiced from 0.2 to 0.8. The word from 0.4 to 0.5, widened to 0.3…0.6,
    # holds the middles 0.35, 0.45 and 0.55: three of six voiced frames.
    voiced = np.zeros(10, np.bool_)
    voiced[2:8] = True
    found = measure_coverage([WordSpan("word", 0.4, 0.5)], 1, voiced, 0.1, 1.0)
    assert found.speech == pytest.approx(0.5)
    assert found.text == 1.0
    assert found.lower == pytest.approx(0.5)


def test_overlapping_spans_count_once() -> None:
    spans = [WordSpan("a", 0.0, 0.5), WordSpan("b", 0.2, 0.5)]
    assert covered_frames(spans, 10, 0.1, 0.0).sum() == 5


@pytest.mark.parametrize("voiced", [np.zeros(10, np.bool_), np.zeros(0, np.bool_)])
def test_without_voice_nothing_is_covered(voiced: np.ndarray) -> None:
    assert measure_coverage([WordSpan("a", 0.0, 0.5)], 1, voiced, 0.1, 1.0).speech == 0.0


def test_an_empty_text_covers_nothing() -> None:
    found = measure_coverage([], 0, ALL_VOICED, 0.03, 3.0)
    assert (found.plausible, found.text, found.speech, found.lower) == ((), 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("characters", "expected"), [(0, True), (49, True), (50, False), (200, False), (201, True)]
)
def test_length_mismatch_at_its_limits(characters: int, expected: bool) -> None:
    assert is_length_mismatch(characters, 10.0, 10.0) is expected


@given(
    characters=st.integers(0, 5000),
    duration_s=st.floats(0.05, 500.0),
    rate=st.floats(1.0, 40.0),
)
def test_both_forms_of_length_mismatch_agree(
    characters: int, duration_s: float, rate: float
) -> None:
    speed = characters / duration_s
    for limit in (rate / 2, rate * 2):
        assume(not math.isclose(speed, limit, rel_tol=1e-9))
    assert is_length_mismatch(characters, duration_s, rate) == (not rate / 2 <= speed <= rate * 2)
