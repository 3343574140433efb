"""Dictation with figures: nothing is lost or joined; expected texts are worked out by hand."""

from __future__ import annotations

import sys
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asrdq.text.normalisers import normaliser

clinical = normaliser("clinical")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.5 mg", "2.5 mg"),
        ("25 mg", "25 mg"),
        ("25mg", "25 mg"),
        (".5", "0.5"),
        ("(.5)", "0.5"),
        ("No.5", "no 5"),
        ("took 5.", "took 5"),
        ("5..5", "5 5"),
        ("1,000", "1000"),
        ("1,234,567.5", "1234567.5"),
        ("1,2,3", "1 2 3"),
        ("1,5", "1 5"),
        ("0,123", "0 123"),
        ("1.000", "1.000"),
        ("2·5 mg", "2.5 mg"),
        ("٣٫٥", "3.5"),
        ("５．５", "5.5"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_decimals_and_thousands(text: str, expected: str) -> None:
    assert clinical(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/2", "1/2"),
        ("½", "1/2"),
        ("2½ mg", "2 1/2 mg"),
        ("2 1/2mg", "2 1/2 mg"),
        ("½2", "1/2 2"),
        ("120/80", "120/80"),
        ("120⁄80mmHg", "120/80 mmhg"),
        ("1:1000 at 10:30", "1:1000 at 10:30"),
        ("10⁹/L", "10^9 l"),
        ("10^9", "10^9"),
        ("10⁻⁹", "10^-9"),
        ("3①4", "3 1 4"),
        ("5㍘", "5 0 点"),
        ("CO₂ x₁₂ m²", "co2 x12 m2"),
    ],
)
def test_fractions_ratios_and_powers(text: str, expected: str) -> None:
    assert clinical(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5-10", "5 10"),
        ("5–10 5—10 5--10", "5 10 5 10 5 10"),
        ("5%-10%", "5 percent 10 percent"),
        ("-5 −5 (-5) -.5", "-5 -5 -5 -0.5"),
        ("COVID-19", "covid 19"),
        ("covid 19", "covid 19"),
        ("x-ray", "x ray"),
        ("- a -", "a"),
    ],
)
def test_ranges_and_minus(text: str, expected: str) -> None:
    assert clinical(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mg/dL", "mg dl"),
        ("mcg/kg/min", "mcg kg min"),
        ("5\u00b5g 5\u03bcg 5mcg 5 ug", "5 mcg 5 mcg 5 mcg 5 mcg"),
        ("\u00b5mol \u03bcmol", "\u03bcmol \u03bcmol"),
        ("50% 50 % ٪", "50 percent 50 percent"),
        ("37°C 37 ℃ 37ºC 37˚ C", "37 degrees c 37 degrees c 37 degrees c 37 degrees c"),
        ("2+ A&B 2×3", "2 plus a and b 2 x 3"),
        ("p<0.05 ≥5 <5 >5", "p < 0.05 ≥ 5 < 5 > 5"),
        ("<unk> </s>", "unk s"),
        ("$25", "$ 25"),
        ("1st 2nd 3rd 4th 1990's 90s", "1st 2nd 3rd 4th 1990s 90s"),
        ("5th-year 2x q4h B12 HbA1c", "5th year 2 x q4h b12 hba1c"),
        ("-2.5mL", "-2.5 ml"),
        ("㎎ 5㎎", "mg 5 mg"),
    ],
)
def test_units_and_signs(text: str, expected: str) -> None:
    assert clinical(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b.i.d.", "bid"),
        ("(b.i.d), I.V. P.O.", "bid iv po"),
        ("IV Ⅳ", "iv iv"),
        ("e.g. U.S.'s", "eg us's"),
        ("Ph.D. E.coli", "ph d e coli"),
        ("Crohn's Crohn’s Crohn´s", "crohn's crohn's crohn's"),
        ("patients' 'quoted' rock'n'roll", "patients quoted rock'n'roll"),
        ("5'10\"", "5 10"),
        ("Sjögren", "sjögren"),
        ("a/b and/or", "a b and or"),
        ("x=5; y, z!", "x 5 y z"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert clinical(text) == expected


amounts = st.decimals(0, 10**6, places=3) | st.decimals(0, 999, places=0)


@given(amounts, amounts)
def test_different_amounts_stay_different(one: Decimal, other: Decimal) -> None:
    assume(one != other)
    assert clinical(f"{one:f}mg") != clinical(f"{other:f} mg")
    assert clinical(f"{one:,f} mg") == clinical(f"{one:f}mg")


def test_no_character_between_figures_joins_them() -> None:
    """Of all characters only those that cannot be seen are dropped between two figures."""
    joining = {
        unicodedata.category(sign)
        for sign in map(chr, range(0x3400))
        if not sign.isdecimal() and "12" in clinical(f"1{sign}2").split()
        if "12" not in unicodedata.normalize("NFKC", sign)
    }
    assert joining == {"Cf", "Mn"}
    assert clinical("1\u034f2 1\u180b2 1\u03012") == "12 12 1\u03012"


@pytest.mark.slow
def test_no_character_of_unicode_is_normalised_further_the_second_time() -> None:
    """All but the many letters of the large scripts, which nothing touches."""
    for sign in map(chr, range(sys.maxunicode + 1)):
        kind = unicodedata.category(sign)
        if kind not in ("Co", "Cn") and (kind != "Lo" or sign < "\u3400"):
            for text in (sign, f"1{sign}2", f"a{sign}b"):
                once = clinical(text)
                assert clinical(once) == once, ascii(text)
