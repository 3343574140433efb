"""Imported words with the place they stand at, and whether times can be those of speech."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from asrdq.alignment.protocol import WordSpan

ROUNDING_S: Final = 0.03
"""What times may be off by; the audit takes no more for plausible."""


@dataclass(frozen=True, slots=True)
class ImportedWord(WordSpan):
    """A word, or a segment of several, of an imported alignment.

    Attributes:
        place: The file and, where it has one, the line.
    """

    place: str = ""


def damaged_time(words: Sequence[ImportedWord]) -> str | None:
    """Return the place of the first time that cannot be one and what is wrong, None without one.

    >>> damaged_time([ImportedWord("a", 1.27, 0.96, place="a.ctm:3")])
    'a.ctm:3: ends at 0.96 s, before it begins, at 1.27 s'
    """
    return next((f"{word.place}: {wrong}" for word in words if (wrong := _damage(word))), None)


def shown_time(seconds: float) -> str:
    """Return a time to the hundredth of a second.

    >>> shown_time(500.3), shown_time(2.0)
    ('500.3 s', '2 s')
    """
    return f"{round(seconds, 2):.10g} s"


def _damage(word: ImportedWord) -> str | None:
    if not math.isfinite(word.start_s):
        return f"begins at {word.start_s} s, which is no time"
    if not math.isfinite(word.end_s):
        return f"ends at {word.end_s} s, which is no time"
    begin, end = shown_time(word.start_s), shown_time(word.end_s)
    if word.start_s < -ROUNDING_S:
        return f"begins at {begin}, before the audio"
    if word.end_s < word.start_s - ROUNDING_S:
        return f"ends at {end}, before it begins, at {begin}"
    return None
