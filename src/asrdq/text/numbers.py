"""Numbers as they are read aloud: years, ordinals, decades, decimals, money."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from typing import Final

_NUMBER: Final = (
    r"(?P<currency>[$€£]\s?)?(?P<digits>{grouped}|\d+)"
    r"(?:(?P<decimals>[{decimal}]\d+)|(?P<suffix>st\b|nd\b|rd\b|th\b|'?s\b))?"
    r"(?P<scale>\s(?:hundred|thousand|million|billion|trillion)\b)?"
)
"""A number in folded text, with what stands before and after it and changes how it is read."""

_WITH_POINT: Final = re.compile(
    _NUMBER.format(grouped=r"\d{1,3}(?:[,\u066c]\d{3})+(?!\d)", decimal=r".\u066b")
)
"""As in English; the other two marks are Arabic."""

_THOUSANDS: Final = {"de": ".'", "es": ".,", "fr": ".", "it": ".'", "nl": ".", "pt": ".", "ru": ""}
"""What parts thousands where decimals follow a comma, in any region of the language (CLDR 47). In
all of them it is a space too, as in the brochure of the SI, 5.4.4."""

_RUN: Final = re.compile(r"\d+(?:[.,]\d+){2,}|(?<!\d)(?<!\d )0\d+[.,]\d+")
"""What may be a date, a time or a list rather than one number."""

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

_MARKS_READ: Final = {
    "ar": {".": "فاصلة", "\u066b": "فاصلة"},
    "de": {",": "komma", ".": "komma"},
    "en": {".": "point", "\u066b": "point"},
    "es": {",": "coma", ".": "punto"},
    "fr": {",": "virgule", ".": "virgule"},
    "he": {".": "נקודה", "\u066b": "נקודה"},
    "it": {",": "virgola", ".": "virgola"},
    "nl": {",": "komma", ".": "komma"},
    "pt": {",": "vírgula", ".": "vírgula"},
}
"""Where decimals are read digit by digit after a word; num2words reads those of the others."""


def spell_numbers(text: str, language: str) -> str:
    """Spell out the numbers of folded text with `num2words`.

    Decimals and thousands are told apart by the marks of the language. In German, Spanish, French,
    Italian, Dutch, Portuguese and Russian decimals follow a comma; a point is read as one only
    where it parts no thousands: `1.000` is a thousand in German, `1.5` one and a half, written as
    machines do. Spanish, whose regions differ, has thousands before three figures, whatever mark
    there is. Commas that can only be English (`1,234,567`, `1,234.5`) are, and figures between
    several marks (`24.12.2020`) are numbers of their own.

    Figures of more than twelve digits, or with a leading zero, are read digit by digit. A number
    that cannot be spelled in the language stays as it is.

    >>> spell_numbers("1.250 und 3,5", "de").split()
    ['eintausendzweihundertfünfzig', 'und', 'drei', 'komma', 'fünf']
    """
    pattern = _WITH_POINT
    if language in _THOUSANDS:
        pattern = _with_comma(_THOUSANDS[language])
        text = _RUN.sub(lambda run: _parted(run[0], pattern), text)
    return pattern.sub(lambda match: f" {_spelled(match, language)} ", text)


@functools.cache
def _with_comma(marks: str) -> re.Pattern[str]:
    grouped = [
        *(rf"[1-9]\d{{0,2}}(?:[{mark}]\d{{3}})+(?!\d)" for mark in marks),
        r"(?<!\d )[1-9]\d{0,2}(?: \d{3})+(?! ?\d)",
        r"[1-9]\d{0,2}(?:,\d{3})+(?:(?<=,\d{3},\d{3})(?!\d)|(?=\.\d))",
    ]
    return re.compile(_NUMBER.format(grouped="|".join(grouped), decimal=".,"))


def _parted(run: str, pattern: re.Pattern[str]) -> str:
    """Part figures that are not one number."""
    if not run.startswith("0") and pattern.fullmatch(run):
        return run
    return re.sub("[.,]", ", ", run)


def _spelled(match: re.Match[str], language: str) -> str:
    if language not in _SPELLED:
        return match[0]
    try:
        words: str = _spell(match, language).lower()
    except _UNSPELLED:
        return match[0]
    return f"{words}{match['scale'] or ''} {_plain_unit(match, language)}" if words else match[0]


def _spell(match: re.Match[str], language: str) -> str:
    from num2words import num2words

    digits, decimals = re.sub(r"\D", "", match["digits"]), match["decimals"] or ""
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
    if language not in _MARKS_READ:
        return str(num2words(Decimal(f"{digits}.{decimals[1:]}"), lang=language))
    after = (num2words(int(digit), lang=language) for digit in decimals[1:])
    mark = _MARKS_READ[language][decimals[0]]
    return " ".join([num2words(int(digits), lang=language), mark, *after])


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
