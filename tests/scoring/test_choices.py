"""A choice of words: the alternatives that are scored are those with the fewest errors."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from asrdq.scoring.choices import TRIED_IN_HYPOTHESIS, best_texts, normalised
from asrdq.text.choices import offers_choice, pieces, written
from asrdq.text.normalisers import normaliser

words = st.lists(st.sampled_from("abc"), max_size=3)
networks = st.lists(st.lists(words, min_size=1, max_size=3), max_size=4)


def variants(network: list[list[list[str]]]) -> list[list[str]]:
    return [list(itertools.chain(*parts)) for parts in itertools.product(*network)]


@given(networks, networks)
def test_no_other_alternatives_have_fewer_errors(
    reference: list[list[list[str]]], hypothesis: list[list[list[str]]]
) -> None:
    said, heard = (text.split() for text in best_texts(reference, hypothesis))
    assert said in variants(reference)
    assert heard in variants(hypothesis)
    fewest = min(
        Levenshtein.distance(one, other)
        for one in variants(reference)
        for other in variants(hypothesis)
    )
    assert Levenshtein.distance(said, heard) == fewest


def test_of_alternatives_that_are_as_good_the_first_is_taken() -> None:
    assert best_texts([[["um"], ["uh"]], [["yes"]]], [[["yes"]]]) == ("um yes", "yes")
    assert best_texts([[["yes"], ["no"]]], [[["no"], ["yes"]]]) == ("no", "no")


def test_a_hypothesis_with_many_choices_is_never_flattered() -> None:
    """Of seven choices the last one is not tried: its first alternative counts, an error."""
    many = [[["x"], ["a"]]] * (TRIED_IN_HYPOTHESIS + 1)
    said, heard = best_texts([[["a"] * len(many)]], many)
    assert heard.split() == ["a"] * TRIED_IN_HYPOTHESIS + ["x"]
    assert said.split() == ["a"] * len(many)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes { um / uh } no", [("yes",), ("um", "uh"), ("no",)]),
        ("{ a b / @ } { c / d / e }", [("a b", ""), ("c", "d", "e")]),
        ("{  a  /  b  }", [("a", "b")]),
        ("", []),
        ("a {b} c", [("a {b} c",)]),
        ("1/2 a { b }", [("1/2 a { b }",)]),
        ("{ a/b }", [("{ a/b }",)]),
        ("x{ a / b }", [("x{ a / b }",)]),
        ("{ a / b }.", [("{ a / b }.",)]),
        ("{ / a }", [("{ / a }",)]),
        ("{ a / }", [("{ a / }",)]),
    ],
)
def test_what_is_a_choice(text: str, expected: list[tuple[str, ...]]) -> None:
    found = pieces(text)
    assert found == expected
    assert offers_choice(pa.array([text])).to_pylist() == [any(len(one) > 1 for one in found)]
    again = [written(one) if len(one) > 1 else one[0] for one in found]
    assert pieces(" ".join(again)) == found


def test_alternatives_are_normalised() -> None:
    texts = pa.array(["The { Age-old / AGE OLD } thing!", "Plain, text", "x"])
    heard = pa.array(["the age old thing", "plain text", "{ Y! / X? }"])
    found = normalised(texts, heard, normaliser("basic"))
    assert found[0].to_pylist() == ["the age old thing", "plain text", "x"]
    assert found[1].to_pylist() == ["the age old thing", "plain text", "x"]
