"""The normaliser `clinical`: English dictation in which no figure may be lost or joined.

No step looks beyond a word, so that a column needs each distinct word once.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from asrdq.text.normalisers.characters import (
    drop_invisible,
    fold_compatibility,
    separate_lone_accents,
)
from asrdq.text.normalisers.figures import part_composed_figures
from asrdq.text.normalisers.normaliser import Normaliser

_SIGNS: Final = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʹʼ′`´＇", "'"),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
        **dict.fromkeys("⁄∕⧸", "/"),
        **{"٫": ".", "٬": ","},
    }
)
_MIDDLE_DOT: Final = re.compile(r"(?<=[0-9])[·∙⋅‧](?=[0-9])")
_TAG: Final = re.compile(r"<(/?[^\W\d][^<>\s]*)>")
_DASHES: Final = re.compile(r"-+")
_BEFORE_A_SIGNED_NUMBER: Final = frozenset('([{<>≤≥±=~$€£¥^,;:|"*')
_ABBREVIATION: Final = re.compile(r"(?<![\w.])[^\W\d_](?:\.[^\W\d_])+\.?(?![\w.])")
_THOUSANDS: Final = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9])")
_BARE_DECIMAL: Final = re.compile(r"(?:(?<![^\s([{<>≤≥±=~$€£¥,;:|\"*-]))\.(?=[0-9])")
_PLURAL_OF_FIGURES: Final = re.compile(r"(?<=[0-9])'s(?!\w)")
_SPOKEN_SIGNS: Final = str.maketrans(
    {
        "%": " percent ",
        "‰": " per mille ",
        "°": " degrees ",
        "&": " and ",
        "+": " plus ",
        "×": " x ",
        "@": " at ",
    }
)
_OWN_WORDS: Final = frozenset("<>≤≥±$€£¥")
_LED_BY_FIGURES: Final = re.compile(r"(-?[0-9]+(?:[.:/^][0-9]+|\^-[0-9]+)*)([^\W\d_].*)", re.S)
_ORDINALS: Final = frozenset(["st", "nd", "rd", "th", "s"])
_MICROGRAMS: Final = frozenset(["μg", "ug"])


def unify_signs(text: str) -> str:
    """Write digits of any script as 0 to 9, and quotes, dashes, slashes and points in one way."""
    if text.isascii():
        return text.translate(_SIGNS)
    text = "".join(_ascii_digit(sign) for sign in text.translate(_SIGNS))
    return _MIDDLE_DOT.sub(".", text)


def _ascii_digit(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign


def open_tags(text: str) -> str:
    """Take the brackets from <unk>: a < that is left compares."""
    return _TAG.sub(r" \1 ", text)


def part_at_dashes(text: str) -> str:
    """Part words and ranges at dashes: COVID-19, 5–10. The minus of -5 stays."""
    return _DASHES.sub(_dash, text)


def _dash(match: re.Match[str]) -> str:
    text, start, end = match.string, match.start(), match.end()
    before, after = text[start - 1 : start] if start else "", text[end : end + 2]
    signed = not before or before.isspace() or before in _BEFORE_A_SIGNED_NUMBER
    number = after[:1].isdecimal() or (after[:1] == "." and after[1:].isdecimal())
    return "-" if signed and number else " "


def join_abbreviations(text: str) -> str:
    """Write letters between points as one word: b.i.d. is bid, I.V. is iv."""
    return _ABBREVIATION.sub(lambda match: match[0].replace(".", ""), text)


def write_numbers(text: str) -> str:
    """Write 1,000 as 1000, .5 as 0.5 and 90's as 90s."""
    text = _THOUSANDS.sub(lambda match: match[0].replace(",", ""), text)
    return _PLURAL_OF_FIGURES.sub("s", _BARE_DECIMAL.sub("0.", text))


def name_signs(text: str) -> str:
    """Write %, °, &, +, × and @ as the words that are said for them."""
    return text.translate(_SPOKEN_SIGNS)


def separate_punctuation(text: str) -> str:
    """Put a space in the place of punctuation, but not within numbers, nor of ' within words.

    Points, colons and slashes between digits stay (2.5, 10:30, 120/80), and so does ^ before an
    exponent. Signs that compare, and those of money, are words of their own.
    """
    return "".join(_separated(text, index) for index in range(len(text)))


def _separated(text: str, index: int) -> str:
    sign = text[index]
    if sign == "-" or unicodedata.category(sign)[0] not in "PS":
        return sign
    if sign in _OWN_WORDS:
        return f" {sign} "
    before, after = text[index - 1 : index] if index else "", text[index + 1 : index + 3]
    if sign == "'":
        inside = _in_a_word(before) and _in_a_word(after[:1])
    else:
        exponent = after[1:] if sign == "^" and after[:1] == "-" else after[:1]
        inside = sign in ".:/^" and before.isdecimal() and exponent.isdecimal()
    return sign if inside else " "


def _in_a_word(sign: str) -> bool:
    return bool(sign) and unicodedata.category(sign)[0] in "LM"


def part_units(text: str) -> str:
    """Part figures at the beginning of a word from the letters after them: 25mg is 25 mg.

    Ordinals and decades stay (1st, 1990s), and so do figures after letters (B12, HbA1c).
    """
    return " ".join(map(_parted, text.split()))


def _parted(word: str) -> str:
    found = _LED_BY_FIGURES.fullmatch(word)
    return word if found is None or found[2] in _ORDINALS else f"{found[1]} {found[2]}"


def unify_micrograms(text: str) -> str:
    """Write µg and ug as mcg; μ is one letter already."""
    return " ".join("mcg" if word in _MICROGRAMS else word for word in text.split())


CLINICAL: Final = Normaliser(
    "clinical",
    "1",
    (
        drop_invisible,
        part_composed_figures,
        unify_signs,
        separate_lone_accents,
        fold_compatibility,
        unify_signs,
        open_tags,
        part_at_dashes,
        join_abbreviations,
        write_numbers,
        name_signs,
        separate_punctuation,
        part_units,
        unify_micrograms,
    ),
    word_by_word=True,
)
