"""Whisper's normalisers; what is expected comes from the tests of openai/whisper."""

from __future__ import annotations

import pytest

from asrdq.text.normalisers import normaliser


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thirty one", "31"),
        ("nineteen ninety nine", "1999"),
        ("four point two billions", "4200000000s"),
        ("$20 million", "$20000000"),
        ("£77 thousands", "£77000s"),
        ("thirty three thousand and three hundred and thirty third", "33333rd"),
        ("3 14", "3 14"),
        ("two point two five dollars", "$2.25"),
        ("seventy six per cent", "76%"),
        ("nine double one", "911"),
        ("$0.36", "¢36"),
        ("three euros and sixty five cents", "€3.65"),
        ("three and a half million", "3500000"),
        ("10 th", "10th"),
        ("mobilisation", "mobilization"),
        ("Let's", "let us"),
        ("she's been like", "she has been like"),
        ("10km", "10 km"),
        ("RC232", "rc 232"),
        (
            "Mr. Park visited Assoc. Prof. Kim Jr.",
            "mister park visited associate professor kim junior",
        ),
        ("uh, Hmm [noise] (laughs) <unk>", ""),
    ],
)
def test_english(text: str, expected: str) -> None:
    assert normaliser("whisper-en")(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Grüße, [Lachen] WELT!", "grüße welt"),
        ("Don't 2.5", "don t 2 5"),
        ("ﬁ ½", "fi 1 2"),
    ],
)
def test_basic(text: str, expected: str) -> None:
    assert normaliser("whisper-basic")(text) == expected


@pytest.mark.parametrize(
    ("text", "once", "settled"), [("minus 500", "-500", "500"), ("double oh seven", "007", "7")]
)
def test_english_is_applied_until_nothing_changes(text: str, once: str, settled: str) -> None:
    told = dict(normaliser("whisper-en").explain(text))
    assert told["whisper english"] == once
    assert told["whisper english again"] == settled
    assert normaliser("whisper-en")(text) == normaliser("whisper-en")(settled) == settled


@pytest.mark.parametrize("text", ["1" * 5000, "one " * 5000])
def test_figures_longer_than_python_reads_are_cut(text: str) -> None:
    normalised = normaliser("whisper-en")(text)
    assert normalised == " ".join(["1" * 1000] * 5)
