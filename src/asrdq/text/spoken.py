"""The words a speaker says when reading a written transcript aloud."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_APOSTROPHES: Final = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"))
_SIGNS: Final = {"en": {"%": "percent", "&": "and", "+": "plus", "=": "equals", "@": "at"}}
_CURRENCIES: Final = {"en": {"$": "dollars", "€": "euros", "£": "pounds"}}
_NUMBER: Final = re.compile(
    r"(?P<currency>[$€£])?(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?P<decimals>\.\d+)?"
    r"(?P<ordinal>(?:st|nd|rd|th)\b)?"
)
_LONGEST_CARDINAL: Final = 15
_YEARS: Final = frozenset([*range(1100, 2000), *range(2010, 2100)])


def character_count(text: str) -> int:
    """Count the letters and digits of a text, in any script.

    >>> character_count("It's 5 p.m.!")
    6
    """
    return sum(character.isalnum() for character in text)


def spoken_words(text: str, language: str = "en") -> list[str]:
    """Split a transcript into lower-case words as they are spoken.

    Numbers and common signs are spelled out (by `num2words`; four digits read as a year where
    they can be one), punctuation and hyphens separate words, apostrophes inside a word stay. An
    empty or purely punctuated text gives no words. Letters that the language does not use are
    kept: whether a word can be pronounced is for the aligner to say.

    >>> spoken_words("Dr. O’Neil paid $25 for 3.5 kg – 10%!")[:6]
    ['dr', "o'neil", 'paid', 'twenty', 'five', 'dollars']
    """
    folded = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).casefold()
    spelled = _NUMBER.sub(lambda match: f" {_spell(match, language)} ", folded)
    for sign, word in _SIGNS.get(language, {}).items():
        spelled = spelled.replace(sign, f" {word} ")
    kept = "".join(character if _belongs_to_word(character) else " " for character in spelled)
    words = (word.strip("'") for word in kept.split())
    return [word for word in words if word]


def _belongs_to_word(character: str) -> bool:
    return character == "'" or unicodedata.category(character)[0] in "LMN"


def _spell(match: re.Match[str], language: str) -> str:
    from num2words import num2words

    digits = match["digits"].replace(",", "")
    try:
        if match["ordinal"]:
            words = num2words(int(digits), lang=language, to="ordinal")
        elif len(digits) > _LONGEST_CARDINAL or (len(digits) > 1 and digits.startswith("0")):
            words = " ".join(num2words(int(digit), lang=language) for digit in digits)
        elif match["decimals"]:
            words = num2words(float(digits + match["decimals"]), lang=language)
        elif match["digits"] == digits and int(digits) in _YEARS:
            words = num2words(int(digits), lang=language, to="year")
        else:
            words = num2words(int(digits), lang=language)
    except NotImplementedError:
        return match[0]
    return f"{words} {_CURRENCIES.get(language, {}).get(match['currency'] or '', '')}"
