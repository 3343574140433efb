"""Every count and rate beside jiwer's, on random pairs of texts."""

from __future__ import annotations

import jiwer
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrdq.scoring.entities import Spans
from asrdq.scoring.keywords import RowTerms
from asrdq.scoring.rates import COUNTERS, ErrorCounts, Metric
from asrdq.scoring.utterances import Utterances, score_utterances
from asrdq.scoring.vocabulary import Vocabulary
from asrdq.text.normalisers import normaliser

COUNTED = {"substitutions": "substitute", "deletions": "delete", "insertions": "insert"}

words = st.one_of(
    st.sampled_from(["a", "b", "the", "שלום", "東京", "ß", "é", "e\u0301", "👩‍⚕️", "mg/dL", "2.5"]),
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=4),
)
texts = st.lists(words, max_size=9).map(" ".join)
pairs_of_texts = st.lists(st.tuples(texts, texts), min_size=50, max_size=150)


def scored(references: list[str], hypotheses: list[str]) -> pa.RecordBatch:
    rows = len(references)
    nothing = np.empty(0, np.int64)
    given_texts = Utterances(
        utt_id=pa.array([str(number) for number in range(rows)]),
        reference=pa.array(references, pa.string()),
        hypothesis=pa.array(hypotheses, pa.string()),
        weight=np.ones(rows),
        block=pa.nulls(rows, pa.string()),
        terms=RowTerms(nothing, []),
        spans=Spans(nothing, [], []),
    )
    none = normaliser("none")
    return score_utterances(given_texts, none, Vocabulary([], none)).utterances


def counts_of(rows: pa.RecordBatch) -> ErrorCounts:
    table = rows.to_pydict()
    named = {name: float(sum(table[name])) for name in COUNTERS if name in table}
    return ErrorCounts(**named)


@pytest.mark.slow
@settings(max_examples=120)
@given(pairs_of_texts)
def test_counts_of_each_pair_and_rates_of_all_are_jiwer_s(pairs: list[tuple[str, str]]) -> None:
    references, hypotheses = ([pair[side] for pair in pairs] for side in (0, 1))
    rows = scored(references, hypotheses)
    by_word = jiwer.process_words(references, hypotheses)
    by_character = jiwer.process_characters(references, hypotheses)

    table = rows.to_pydict()
    for ours, theirs in COUNTED.items():
        expected = [
            sum(
                max(
                    chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx
                )
                for chunk in alignment
                if chunk.type == theirs
            )
            for alignment in by_word.alignments
        ]
        assert table[ours] == expected

    counts = counts_of(rows)
    assert counts.hits == by_word.hits
    assert counts.words == sum(map(len, by_word.references))
    assert counts.characters == sum(map(len, by_character.references))
    assert counts.character_edits == (
        by_character.substitutions + by_character.deletions + by_character.insertions
    )
    if counts.words:
        for metric, expected in (
            (Metric.WER, by_word.wer),
            (Metric.MER, by_word.mer),
            (Metric.WIL, by_word.wil),
            (Metric.WIP, by_word.wip),
            (Metric.CER, by_character.cer),
        ):
            assert counts.rate(metric) == pytest.approx(expected, abs=1e-12)


def test_an_empty_reference_counts_its_insertions_and_adds_no_words() -> None:
    rows = scored(["", "a b"], ["x y z", "a b"])
    assert rows.column("words").to_pylist() == [0, 2]
    assert rows.column("insertions").to_pylist() == [3, 0]
    assert counts_of(rows).rate(Metric.WER) == 1.5
    assert jiwer.wer(["", "a b"], ["x y z", "a b"]) == 1.5


def test_an_empty_hypothesis_counts_as_deletions() -> None:
    rows = scored(["a b c", "d"], ["", "d"])
    assert rows.column("deletions").to_pylist() == [3, 0]
    assert counts_of(rows).rate(Metric.WER) == 0.75
