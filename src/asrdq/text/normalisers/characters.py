"""Steps that several normalisers share, each a function of a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"
_INVISIBLE_MARKS: Final = re.compile(
    "[\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""Marks that Unicode calls default ignorable: variation selectors and the grapheme joiner."""


def replace_surrogates(text: str) -> str:
    """Put U+FFFD in the place of lone surrogates, which no file in UTF-8 can hold.

    >>> replace_surrogates(f"a{chr(0xD800)}b") == f"a{chr(0xFFFD)}b"
    True
    """
    return _LONE_SURROGATE.sub(_REPLACEMENT, text)


def collapse_spaces(text: str) -> str:
    """Part words by single spaces, without any at the ends."""
    return " ".join(text.split())


def drop_invisible(text: str) -> str:
    """Remove format characters (directions, joiners, soft hyphens); controls become spaces.

    This is what NFKC_Casefold of Unicode (section 3.13) does to what is ignorable.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in _INVISIBLE_MARKS.sub("", text))


def _visible(character: str) -> str:
    return {"Cf": "", "Cc": " "}.get(unicodedata.category(character), character)


def separate_lone_accents(text: str) -> str:
    """Put a space in the place of accents without a letter, which NFKC leaves as loose marks."""
    return text if text.isascii() else "".join(map(_without_accent, text))


def _without_accent(character: str) -> str:
    form = unicodedata.normalize("NFKC", character)
    return " " if len(form) > 1 and form[0] == " " else character


def fold_compatibility(text: str) -> str:
    """Bring letters to one form: NFKC and full case folding, until nothing changes."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    while (again := unicodedata.normalize("NFKC", folded.casefold())) != folded:
        folded = again
    return folded


def settle(change: Callable[[str], str], text: str, rounds: int | None = 100) -> str:
    """Apply a function until its result stays the same, and so make it idempotent.

    A function that goes round in a circle gives the smallest text of the circle, whichever of
    them it began with.

    Args:
        change: The function.
        text: What it is applied to first.
        rounds: After so many the last text is taken; None for a function that cannot go on
            forever, because it never makes a text longer.
    """
    path: dict[str, int] = {}
    while text not in path:
        if len(path) == rounds:
            return text
        path[text] = len(path)
        text = change(text)
    return min(list(path)[path[text] :])
