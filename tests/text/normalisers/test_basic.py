"""The normalisers without a language; expected texts are worked out by hand."""

from __future__ import annotations

import pytest

from asrdq.text.normalisers import normaliser


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t\n", ""),
        ("  So,\tshe   said:\n“no”. ", "So, she said: “no”."),
        ("a\u00a0b\u3000c\x1cd", "a b c d"),
        ("a\x00b", "a\x00b"),
        ("ﬁ e\u0301 ½", "ﬁ e\u0301 ½"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_none_collapses_white_space_and_changes_nothing_else(text: str, expected: str) -> None:
    assert normaliser("none")(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("… — ?!", ""),
        ("Hello,  World!", "hello world"),
        ("well-known/e_mail", "well known e mail"),
        ("don't don’t don´t", "don t don t don t"),
        ("STRASSE Straße straẞe", "strasse strasse strasse"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("İ", "i\u0307"),
        ("ﬁ ﬀ Ａ１ ² ① ㎎", "fi ff a1 2 1 mg"),
        ("½", "1 2"),
        ("5% $3 a+b=c <x> 😀 °", "5 3 a b c x"),
        ("caf\u00e9 cafe\u0301", "café café"),
        ("K Å", "k å"),
        ("नमस्ते, दुनिया।", "नमस्ते दुनिया"),
        ("\u200fשלום\u200e, עולם", "שלום עולם"),
        ("co\u00adoperate zero\u200bwidth \ufeffstart", "cooperate zerowidth start"),
        ("a\x00b\x07c", "a b c"),
        ("❤\ufe0f a\ufe0fb", "ab"),
        ("x\ud800y", "x y"),
    ],
)
def test_basic(text: str, expected: str) -> None:
    assert normaliser("basic")(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.5 mg", "25 mg"),
        ("25 mg", "25 mg"),
        ("COVID-19, b.i.d.", "covid-19 bid"),
        ("Ménière's – x_y", "menieres x_y"),
        ("½ ﬁ mg/dL", "12 fi mgdl"),
        ("a\x07b\tc", "ab c"),
        ("- a - b-", "- a - b-"),
        ("ß İ", "ß i"),
    ],
)
def test_clinical_strict_deletes_all_but_word_characters_and_hyphens(
    text: str, expected: str
) -> None:
    assert normaliser("clinical-strict")(text) == expected
