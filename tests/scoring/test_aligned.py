"""One hypothesis beside its reference."""

from __future__ import annotations

from collections import Counter

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.scoring.aligned import aligned

WORDS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=12).map(" ".join)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "marks", "below"),
    [
        ("give cefazolin now", "give cefa zolin now", "CISC", "give cefa zolin now"),
        ("a b c", "a c", "CDC", "a  c"),
        ("a", "x a y z", "ICII", "x a y z"),
        ("a b", "", "DD", " "),
        ("", "a b", "II", "a b"),
        ("", "", "", ""),
    ],
)
def test_places(reference: str, hypothesis: str, marks: str, below: str) -> None:
    found = aligned(reference, hypothesis)
    assert "".join(word.mark for word in found) == marks
    assert " ".join(word.hypothesis for word in found) == below


@given(WORDS, WORDS)
def test_both_texts_can_be_read_off_it_and_errors_are_those_of_jiwer(left: str, right: str) -> None:
    found = aligned(left, right)
    assert " ".join(word.reference for word in found if word.reference) == left
    assert " ".join(word.hypothesis for word in found if word.hypothesis) == right
    assert all((word.mark == "C") == (word.reference == word.hypothesis) for word in found)
    counted = Counter(str(word.mark) for word in found)
    theirs = jiwer.process_words(left, right)
    assert (counted["C"], counted["S"], counted["D"], counted["I"]) == (
        theirs.hits,
        theirs.substitutions,
        theirs.deletions,
        theirs.insertions,
    )
