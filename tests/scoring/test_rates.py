"""Counts that add up, and the rates that follow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.scoring.rates import COUNTERS, FORMULAS, ErrorCounts, Metric

KEYWORDS = {
    "keyword_rows": 4,
    "keyword_missed": 1.5,
    "keyword_hits": 6,
    "keyword_misses": 2,
    "keyword_false": 3,
}


@pytest.mark.parametrize(
    ("metric", "rate"),
    [
        (Metric.WER, (2 + 1 + 3) / 20),
        (Metric.CER, 9 / 90),
        (Metric.MER, (2 + 1 + 3) / (20 + 3)),
        (Metric.WIP, 17 / 20 * 17 / (17 + 2 + 3)),
        (Metric.WIL, 1 - 17 / 20 * 17 / 22),
        (Metric.SER, 3 / 5),
        (Metric.KER, 1.5 / 4),
        (Metric.KEYWORD_PRECISION, 6 / 9),
        (Metric.KEYWORD_RECALL, 6 / 8),
        (Metric.KEYWORD_F1, 12 / 17),
        (Metric.MACRO_WER, 1.2 / 5),
    ],
)
def test_rates_by_hand(metric: Metric, rate: float) -> None:
    counts = ErrorCounts(
        utterances=5,
        wrong=3,
        words=20,
        hits=17,
        substitutions=2,
        deletions=1,
        insertions=3,
        characters=90,
        character_edits=9,
        worded=5,
        wer_sum=1.2,
        **KEYWORDS,
    )
    assert counts.rate(metric) == pytest.approx(rate)


@pytest.mark.parametrize("metric", Metric)
def test_nothing_counted_has_no_rate(metric: Metric) -> None:
    assert math.isnan(ErrorCounts().rate(metric))


def test_a_hypothesis_without_words_preserves_nothing() -> None:
    counts = ErrorCounts(utterances=1, wrong=1, words=3, deletions=3)
    assert counts.rate(Metric.WIP) == 0
    assert counts.rate(Metric.WIL) == 1


def test_insertions_alone_have_no_word_error_rate_but_match_nothing() -> None:
    counts = ErrorCounts(utterances=1, wrong=1, insertions=2)
    assert math.isnan(counts.rate(Metric.WER))
    assert counts.rate(Metric.MER) == 1


def test_counts_add_up_and_rates_are_those_of_the_sum() -> None:
    good, bad = ErrorCounts(words=90, hits=90), ErrorCounts(words=10, hits=0, deletions=10)
    assert (good + bad).rate(Metric.WER) == 0.1
    assert (good + bad).errors == 10
    assert (good + bad).units(Metric.WER) == 100


@given(
    st.lists(st.integers(1, 50), min_size=len(COUNTERS), max_size=len(COUNTERS)),
    st.sampled_from(sorted(Metric)),
)
def test_the_gradient_is_the_slope(numbers: list[int], metric: Metric) -> None:
    formula = FORMULAS[metric]
    here = formula.quantities(np.array([numbers], float))
    value, gradient = formula.value_and_gradient(here)
    for column in range(here.shape[1]):
        moved = here.copy()
        moved[0, column] += 1e-5
        slope = (formula.value_and_gradient(moved)[0] - value) / 1e-5
        assert gradient[0, column] == pytest.approx(slope[0], rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("metric", Metric)
def test_twice_the_same_leaves_a_rate_as_it_is(metric: Metric) -> None:
    counts = np.arange(1.0, len(COUNTERS) + 1)[None, :]
    assert FORMULAS[metric].value(2 * counts) == pytest.approx(FORMULAS[metric].value(counts))
