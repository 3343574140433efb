"""The words a speaker says when reading a written transcript aloud."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from asrdq.text.numbers import spell_numbers

_APOSTROPHES: Final = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"))
_FRACTIONS: Final = {
    "en": {
        "½": "half",
        "⅓": "third",
        "⅔": "two thirds",
        "¼": "quarter",
        "¾": "three quarters",
        "⅕": "fifth",
        "⅖": "two fifths",
        "⅗": "three fifths",
        "⅘": "four fifths",
        "⅙": "sixth",
        "⅚": "five sixths",
        "⅐": "seventh",
        "⅛": "eighth",
        "⅜": "three eighths",
        "⅝": "five eighths",
        "⅞": "seven eighths",
        "⅑": "ninth",
        "⅒": "tenth",
        "↉": "zero thirds",
    },
}
_FRACTION: Final = re.compile("([¼-¾⅐-⅞↉])")
_BESIDE_POWER: Final = re.compile(r"(?<=\d)(?=[⁰¹²³⁴-⁹])|(?<=[⁰¹²³⁴-⁹])(?=\d)")
_SIGNS: Final = {
    "en": {
        "%": "percent",
        "&": "and",
        r"\+": "plus",
        "=": "equals",
        "@": "at",
        "μ(?=[a-z])": "micro",
    },
}
_ZERO_WIDTH_SPACE: Final = "\u200b"
_UNIT: Final = (
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]\u3005?"
    r"|[\u3041-\u3096\u30a1-\u30fa][ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮー]*"
    r"|[\u0e40-\u0e44]?[\u0e01-\u0e2e][\u0e30-\u0e3a\u0e45-\u0e4e]*"
    r"|[\u0ec0-\u0ec4]?[\u0e81-\u0eae][\u0eb0-\u0ebd\u0ec8-\u0ece]*"
    r"|[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b6-\u17d1\u17d3])*"
    r"|[\u1000-\u102a\u103f](?:\u1039[\u1000-\u102a]|[\u102b-\u1038\u103a-\u103e])*"
)
"""What is a word of its own in scripts that have no spaces: an ideograph, a mora of Japanese, a
consonant of Thai, Lao, Khmer or Burmese with its vowels and tones."""
UNIT: Final = re.compile(_UNIT)
_UNITS: Final = re.compile(f"{_UNIT}|(?:(?!{_UNIT}).)+")


def character_count(text: str) -> int:
    """Count the letters and digits of a text, in any script.

    >>> character_count("It's 5 p.m.!")
    6
    """
    return sum(character.isalnum() for character in text)


def spoken_words(text: str, language: str = "en") -> list[str]:
    """Split a transcript into lower-case words as they are spoken.

    Numbers and common signs are spelled out, punctuation and hyphens separate words, apostrophes
    inside a word stay, and invisible marks (soft hyphens, joiners, directions) are dropped. An
    empty or purely punctuated text gives no words. Fractions (½) outside English stay as they are,
    and so do letters that the language does not use: whether a word can be pronounced is for the
    aligner to say. Where a script has no spaces (Chinese, Japanese, Thai), every character or
    syllable is a word. No text raises.

    >>> spoken_words("Dr. O’Neil paid $25 for 3.5 kg – 10%!")[:6]
    ['dr', "o'neil", 'paid', 'twenty', 'five', 'dollars']
    >>> spoken_words("我用 Python。", "zh")
    ['我', '用', 'python']
    """
    spelled = spell_numbers(_folded(text, language), language)
    for sign, word in _SIGNS.get(language, {}).items():
        spelled = re.sub(sign, f" {word} ", spelled)
    kept = "".join(character if _belongs_to_word(character) else " " for character in spelled)
    pieces = (piece for part in kept.split() for piece in _UNITS.findall(part))
    words = (piece.strip("'") for piece in pieces)
    return [word for word in words if word]


def _folded(text: str, language: str) -> str:
    """Bring letters, digits and apostrophes to one form: lower case, NFKC.

    Fractions are words of their own, and powers join no figure: NFKC makes 51⁄2 of 5½.
    """
    visible = "".join(
        character
        for character in text.translate(_APOSTROPHES)
        if unicodedata.category(character) != "Cf" or character == _ZERO_WIDTH_SPACE
    )
    parts = _FRACTION.split(_BESIDE_POWER.sub(" ", visible))
    words = _FRACTIONS.get(language, {})
    parts[::2] = [_compatible(part) for part in parts[::2]]
    for at in range(1, len(parts), 2):
        word = words.get(parts[at], parts[at])
        after_figures = parts[at - 1][-1:].isdecimal()
        parts[at] = f" {_added(word) if language == 'en' and after_figures else word} "
    return "".join(parts)


def _added(fraction: str) -> str:
    """Return how English adds a fraction to a number: and a half, and two thirds."""
    if " " in fraction:
        return f"and {fraction}"
    return f"and {'an' if fraction[0] in 'aeiou' else 'a'} {fraction}"


def _compatible(text: str) -> str:
    lower = unicodedata.normalize("NFKC", text).lower()
    return unicodedata.normalize("NFKC", lower).translate(_APOSTROPHES)


def _belongs_to_word(character: str) -> bool:
    return character == "'" or unicodedata.category(character)[0] in "LMN"
