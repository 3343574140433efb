"""Keywords: missed, heard where nobody said them, and faults of the manifest."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from asrdq.scoring.edits import find_edits
from asrdq.scoring.entities import Spans, score_spans
from asrdq.scoring.keywords import KeywordScores, RowTerms, TermFault, score_keywords
from asrdq.scoring.tokens import tokenise
from asrdq.scoring.vocabulary import Vocabulary


def plainly(text: str) -> str:
    return " ".join(text.lower().split())


def keywords(
    rows: list[tuple[str, str, list[str]]], further: tuple[str, ...] = ()
) -> KeywordScores:
    references, hypotheses, terms = zip(*rows, strict=True)
    pairs = tokenise(pa.array(references, pa.string()), pa.array(hypotheses, pa.string()))
    asked = RowTerms(
        np.repeat(np.arange(len(rows)), list(map(len, terms))),
        [term for own in terms for term in own],
    )
    vocabulary = Vocabulary([*asked.term, *further], plainly)
    edits = find_edits(pairs.references, pairs.hypotheses)
    return score_keywords(pairs, edits, asked, vocabulary)


@pytest.mark.parametrize(
    ("hypothesis", "missed"),
    [
        ("give cefazolin now", False),
        ("give cefa zolin now", True),
        ("cefazolin", False),
        ("cefazolins", True),
        ("", True),
    ],
)
def test_a_term_is_missed_unless_it_stands_in_the_hypothesis(hypothesis: str, missed: bool) -> None:
    """⊢ "cefazolin" in "cefa zolin" is a miss."""
    found = keywords([("give cefazolin now", hypothesis, ["Cefazolin"])])
    assert found.missed.tolist() == [missed]
    assert found.fault == [None]


@pytest.mark.parametrize(
    ("hypothesis", "missed"),
    [
        ("some sodium chloride please", False),
        ("some chloride sodium please", True),
        ("some sodium and chloride please", True),
        ("sodium", True),
        ("more sodium sodium chloride", False),
    ],
)
def test_the_words_of_a_term_are_adjacent_and_in_order(hypothesis: str, missed: bool) -> None:
    found = keywords([("some sodium chloride please", hypothesis, ["sodium chloride"])])
    assert found.missed.tolist() == [missed]


def test_the_end_of_one_text_and_the_beginning_of_the_next_are_no_term() -> None:
    found = keywords(
        [("sodium chloride", "x sodium", ["sodium chloride"]), ("a", "chloride a", [])]
    )
    assert found.missed.tolist() == [True]
    assert found.false.tolist() == [0, 0]


def test_faults_of_the_manifest_are_named_and_not_scored() -> None:
    found = keywords([("take aspirin", "take aspirin", ["  ", "ibuprofen", "aspirin"])])
    assert found.fault == [TermFault.EMPTY, TermFault.ABSENT, None]
    assert found.missed.tolist() == [False, False, False]


def test_terms_that_are_all_empty() -> None:
    found = keywords([("take aspirin", "take", [" "])])
    assert found.fault == [TermFault.EMPTY]
    assert found.hits.tolist() == [0]


def test_every_occurrence_is_counted_by_the_alignment() -> None:
    rows = [
        ("aspirin and aspirin", "aspirin and asprin", ["aspirin"]),  # one heard, one missed
        ("no drug here", "no aspirin here", []),  # heard where nobody said it
        ("aspirin b c d", "b c d aspirin", ["aspirin"]),  # heard elsewhere: a miss and a false one
    ]
    found = keywords(rows)
    assert found.hits.tolist() == [1, 0, 0]
    assert found.misses.tolist() == [1, 0, 1]
    assert found.false.tolist() == [0, 1, 1]
    assert found.missed.tolist() == [False, False]


def test_a_word_put_into_the_middle_of_a_term_breaks_it() -> None:
    found = keywords([("sodium chloride", "sodium x chloride", ["sodium chloride"])])
    assert (found.hits.tolist(), found.misses.tolist()) == ([0], [1])


def test_a_word_put_before_a_term_does_not() -> None:
    found = keywords([("a sodium chloride b", "a x sodium chloride x b", ["sodium chloride"])])
    assert (found.hits.tolist(), found.misses.tolist()) == ([1], [0])


def test_a_term_does_not_overlap_with_itself() -> None:
    found = keywords([("ha ha ha", "ha ha ha ha", ["ha ha"])])
    assert found.hits.tolist() == [1]
    assert found.false.tolist() == [1]


def test_terms_with_the_same_first_word() -> None:
    rows = [("sodium chloride and sodium", "sodium chloride and sodium", ["sodium chloride"])]
    assert keywords(rows, further=("sodium", "sodium lactate")).hits.tolist() == [3]


def spans(reference: str, hypothesis: str, texts: list[str]) -> list[tuple[bool, int, int]]:
    pairs = tokenise(pa.array([reference]), pa.array([hypothesis]))
    edits = find_edits(pairs.references, pairs.hypotheses)
    tagged = Spans(np.zeros(len(texts), np.int64), ["drug"] * len(texts), texts)
    found = score_spans(pairs, edits, tagged, plainly)
    errors = sum(found.errors.values())
    told = np.where(found.found, errors, 0).tolist()
    return list(zip(found.found.tolist(), found.words.tolist(), told, strict=True))


def test_errors_inside_tagged_spans() -> None:
    reference, hypothesis = "take sodium chloride two grams", "take sodium x chlorid grams"
    assert spans(reference, hypothesis, ["sodium chloride", "two grams"]) == [
        (True, 2, 1),
        (True, 2, 1),
    ]


def test_the_second_span_of_a_text_is_its_second_occurrence() -> None:
    assert spans("aspirin or aspirin", "aspirin or x", ["Aspirin", "aspirin", "aspirin"]) == [
        (True, 1, 0),
        (True, 1, 1),
        (False, 0, 0),
    ]


def test_an_insertion_counts_inside_a_span_and_not_at_its_edge() -> None:
    assert spans("a b c d", "a x b y c z d", ["b c"]) == [(True, 2, 1)]


def test_errors_of_spans_are_told_apart() -> None:
    pairs = tokenise(pa.array(["a b c d e"]), pa.array(["a x y d e"]))
    edits = find_edits(pairs.references, pairs.hypotheses)
    tagged = Spans(np.zeros(1, np.int64), ["drug"], ["b c d"])
    found = score_spans(pairs, edits, tagged, plainly)
    assert {kind.name: int(count[0]) for kind, count in found.errors.items()} == {
        "SUBSTITUTION": 2,
        "DELETION": 0,
        "INSERTION": 0,
    }
    pairs = tokenise(pa.array(["a b c d"]), pa.array(["a b x c"]))
    edits = find_edits(pairs.references, pairs.hypotheses)
    tagged = Spans(np.zeros(1, np.int64), ["drug"], ["b c d"])
    found = score_spans(pairs, edits, tagged, plainly)
    assert {kind.name: int(count[0]) for kind, count in found.errors.items()} == {
        "SUBSTITUTION": 0,
        "DELETION": 1,
        "INSERTION": 1,
    }
