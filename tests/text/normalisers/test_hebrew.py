"""Hebrew as it is written in different ways; expected texts are worked out by hand."""

from __future__ import annotations

import pytest

from asrdq.text.normalisers import normaliser

GERESH, GERSHAYIM = "\u05f3", "\u05f4"

hebrew = normaliser("hebrew")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("שָׁלוֹם", "שלום"),
        ("שלום", "שלום"),
        ("בְּרֵאשִׁ֖ית בָּרָ֣א", "בראשית ברא"),
        ("\ufb2aלום \ufb4bהד", "שלום והד"),
        ("בֵּית־סֵפֶר", "בית ספר"),
        ("בית-ספר בית – ספר", "בית ספר בית ספר"),
        ("ב-5 דקות", "ב 5 דקות"),
        ("אור׃ יום׀", "אור יום"),
    ],
)
def test_points_and_maqaf(text: str, expected: str) -> None:
    assert hebrew(text) == expected


@pytest.mark.parametrize(
    "marked",
    ["\u200fשלום\u200f", "\u202bשלום\u202c", "ש\u200dלו\u200bם", "\ufeffשלום", "\u2067שלום\u2069"],
)
def test_marks_that_cannot_be_seen(marked: str) -> None:
    assert hebrew(marked) == "שלום"


@pytest.mark.parametrize("mark", ['"', "”", "“", GERSHAYIM, "″", "''", "׳׳"])
def test_gershayim_are_one(mark: str) -> None:
    assert hebrew(f"צה{mark}ל") == f"צה{GERSHAYIM}ל"


@pytest.mark.parametrize("mark", ["'", "’", "‘", GERESH, "´", "`", "′"])
def test_geresh_is_one(mark: str) -> None:
    assert hebrew(f"ג{mark}ירפה וכו{mark} רח{mark}.") == f"ג{GERESH}ירפה וכו{GERESH} רח{GERESH}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'שלום'", "שלום"),
        ("'ג'ירפה'", f"ג{GERESH}ירפה"),
        ("עולם'", "עולם"),
        ('אמר: "שלום!"', "אמר שלום"),
        ("„טוב” (מאד)...", "טוב מאד"),
        ("3.5% -5 10:30.", "3.5% -5 10:30"),
        ("½ 2½", "1/2 2 1/2"),
        ("Don't, OK?", "don't ok"),
        ("x\ud800.", "x\ufffd"),
    ],
)
def test_quotes_and_punctuation_at_the_ends(text: str, expected: str) -> None:
    assert hebrew(text) == expected
