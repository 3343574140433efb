"""Numbers as they are read aloud: years, ordinals, decades, decimals, money."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

NUMBER: Final = re.compile(
    r"(?P<currency>[$€£]\s?)?(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
    r"(?:(?P<decimals>\.\d+)|(?P<suffix>st\b|nd\b|rd\b|th\b|'?s\b))?"
    r"(?P<scale>\s(?:hundred|thousand|million|billion|trillion)\b)?"
)
"""A number in folded text, with what stands before and after it and changes how it is read."""

_CURRENCIES: Final = {
    "en": {
        "$": ("dollar", "dollars", "cents"),
        "€": ("euro", "euros", "cents"),
        "£": ("pound", "pounds", "pence"),
    }
}
_LONGEST_CARDINAL: Final = 12
_CENTS: Final = 3
_YEARS: Final = {
    language: frozenset([*range(1100, 2000), *range(2010, 2100)]) for language in ("de", "en")
}
"""Four digits that are read as a year where nothing says otherwise."""

_SPELLED: Final = frozenset(
    ["ar", "de", "en", "es", "fr", "he", "it", "ja", "ko", "nl", "pt", "ru"]
)
"""Languages whose words are trusted: in some others num2words never returns."""

_UNSPELLED: Final = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""What num2words raises for numbers it has no words for, differently in each language."""


def spell_number(match: re.Match[str], language: str) -> str:
    """Spell out a match of `NUMBER` with `num2words`.

    Figures of more than twelve digits, or with a leading zero, are read digit by digit. A number
    that cannot be spelled in the language is returned as it is.
    """
    if language not in _SPELLED:
        return match[0]
    try:
        words: str = _spell(match, language).lower()
    except _UNSPELLED:
        return match[0]
    return f"{words}{match['scale'] or ''} {_plain_unit(match, language)}" if words else match[0]


def _spell(match: re.Match[str], language: str) -> str:
    from num2words import num2words

    digits, decimals = match["digits"].replace(",", ""), match["decimals"] or ""
    suffix = match["suffix"] or ""
    if len(digits) > _LONGEST_CARDINAL or (len(digits) > 1 and int(digits[0]) == 0):
        return " ".join(num2words(int(digit), lang=language) for digit in digits)
    if decimals:
        return _spell_decimals(match, digits, decimals, language)
    if suffix and not suffix.endswith("s"):
        return str(num2words(int(digits), lang=language, to="ordinal"))
    is_year = match["digits"] == digits and int(digits) in _YEARS.get(language, ())
    kind = "year" if is_year and not match["currency"] and not match["scale"] else "cardinal"
    words = str(num2words(int(digits), lang=language, to=kind))
    return _plural(words) if suffix and language == "en" else words


def _spell_decimals(match: re.Match[str], digits: str, decimals: str, language: str) -> str:
    from num2words import num2words

    unit = _unit(match, language)
    if unit and len(decimals) == _CENTS and not match["scale"]:
        cents = num2words(int(decimals[1:]), lang=language)
        name = unit[0] if int(digits) == 1 else unit[1]
        return f"{num2words(int(digits), lang=language)} {name} and {cents} {unit[2]}"
    if language != "en":
        return str(num2words(Decimal(digits + decimals), lang=language))
    after = (num2words(int(digit)) for digit in decimals[1:])
    return " ".join([num2words(int(digits)), "point", *after])


def _plain_unit(match: re.Match[str], language: str) -> str:
    """Return the currency where it is said last: not between dollars and cents."""
    unit = _unit(match, language)
    if unit is None or (len(match["decimals"] or "") == _CENTS and not match["scale"]):
        return ""
    return unit[0] if match[0].strip()[1:].strip() == "1" else unit[1]


def _unit(match: re.Match[str], language: str) -> tuple[str, str, str] | None:
    return _CURRENCIES.get(language, {}).get((match["currency"] or "").strip())


def _plural(words: str) -> str:
    """Return the plural of the last word: the nineties, in fives."""
    if words.endswith("y"):
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith("x") else f"{words}s"
