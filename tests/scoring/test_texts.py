"""Counts of some pairs of texts are those of jiwer."""

from __future__ import annotations

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.scoring.rates import Metric
from asrdq.scoring.texts import count_errors
from asrdq.text.normalisers import normaliser

WORDS = st.lists(st.sampled_from(["a", "bb", "ccc"]), min_size=1, max_size=5).map(" ".join)
HEARD = st.lists(st.sampled_from(["a", "bb", "d"]), max_size=5).map(" ".join)


@given(st.lists(st.tuples(WORDS, HEARD), min_size=1, max_size=5))
def test_word_and_character_error_rates_are_those_of_jiwer(pairs: list[tuple[str, str]]) -> None:
    references, hypotheses = map(list, zip(*pairs, strict=True))
    counts = count_errors(references, hypotheses, normaliser("none"))
    assert counts.rate(Metric.WER) == pytest.approx(jiwer.wer(references, hypotheses))
    assert counts.rate(Metric.CER) == pytest.approx(jiwer.cer(references, hypotheses))
    wrong = sum(one != other for one, other in pairs)
    assert (counts.utterances, counts.wrong) == (len(pairs), wrong)


def test_an_empty_hypothesis_leaves_all_words_out() -> None:
    counts = count_errors(["so what now", ""], ["", ""], normaliser("basic"))
    assert (counts.words, counts.deletions, counts.utterances, counts.wrong) == (3, 3, 2, 1)
