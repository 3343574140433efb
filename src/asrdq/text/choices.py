"""A choice of words in a text, as NIST writes it: `{ um / uh / @ }`, where `@` is no word at all.

Braces, slashes and `@` stand alone between blanks; a choice holds no other choice. Anything else
with a brace in it is words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

CHOICE: Final = r"(?:^|\s)\{\s[^{}]*?\S\s+/\s+\S[^{}]*?\s\}(?:\s|$)"
"""Where a text offers a choice, for Arrow's and DuckDB's regular expressions."""

NO_WORD: Final = "@"

_CHOICE: Final = re.compile(r"(?<!\S)\{\s([^{}]*?\S\s+/\s+\S[^{}]*?)\s\}(?!\S)")
_OR: Final = re.compile(r"\s+/\s+")


def offers_choice(texts: pa.Array) -> pa.Array:
    """Return which texts offer a choice; null for null."""
    braces = pc.match_substring(texts, "{")
    if not pc.any(braces).as_py():
        return braces
    return pc.match_substring_regex(texts, CHOICE)


def pieces(text: str) -> list[tuple[str, ...]]:
    """Return a text as the pieces between its choices, alone, and its choices.

    Example:
        >>> pieces("oh { um / @ } yes")
        [('oh',), ('um', ''), ('yes',)]
    """
    found: list[tuple[str, ...]] = []
    for number, part in enumerate(_CHOICE.split(text)):
        if number % 2:
            offered = (one.strip() for one in _OR.split(part.strip()))
            found.append(tuple("" if one == NO_WORD else one for one in offered))
        elif part.strip():
            found.append((part.strip(),))
    return found


def written(alternatives: Iterable[str]) -> str:
    """Return a choice as a text has it; an empty alternative is `@`."""
    return f"{{ {' / '.join(one or NO_WORD for one in alternatives)} }}"


def without_choices(text: str) -> str:
    """Return what is left of a text when its choices are taken out."""
    return _CHOICE.sub(" ", text)
