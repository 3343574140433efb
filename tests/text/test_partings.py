"""Where a transcript can be parted: its parts have its words, and none is spoken in two."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.text.partings import partings
from asrdq.text.spoken import spoken_words

SOME = st.sampled_from(
    [
        "one",
        "forty-two",
        "$",
        "25",
        "%",
        "1/2",
        "-",
        ",",
        "5",
        "p.m.",
        "000",
        "בית־ספר",
        'צה"ל',
        "我用",
        "。",
    ]
)


def parts(text: str, language: str = "en") -> list[str]:
    places = [each.position for each in partings(text, language)]
    return [text[start:end] for start, end in pairwise(places)]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("one two", "en", ["one", " two"]),
        ("- Hello , world .", "en", ["- Hello ,", " world ."]),
        ("it's $ 25 or 24", "en", ["it's", " $ 25", " or", " 24"]),
        ("בית־ספר ב-5 שקלים", "he", ["בית־ספר", " ב-5", " שקלים"]),
        ("我用 Python。你", "zh", ["我", "用", " Python。", "你"]),
        ("de 1 000 000 km", "fr", ["de", " 1 000 000", " km"]),
        ("…", "en", []),
        ("", "en", []),
    ],
)
def test_by_hand(text: str, language: str, expected: list[str]) -> None:
    assert parts(text, language) == expected


@given(st.lists(SOME, min_size=1, max_size=12), st.sampled_from([" ", "  ", "\t"]))
def test_parts_have_the_words_and_the_characters_of_the_whole(words: list[str], gap: str) -> None:
    text = gap.join(words)
    found = parts(text)
    assert found == [] or "".join(found) == text
    assert found or not spoken_words(text)
    places = partings(text)
    for (start, end), part in zip(pairwise(places), found, strict=True):
        assert spoken_words(part) == spoken_words(text)[start.words : end.words]
        assert start.words < end.words
