"""Imported words with the place they stand at, and whether times can be those of speech."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from asrdq.alignment.protocol import WordSpan
from asrdq.audio import AudioError
from asrdq.audio.opening import open_audio
from asrdq.places import is_remote

_ROUNDING_S: Final = 0.03
"""What times may be off by; the audit takes no more for plausible."""

_FRAME_S: Final = 0.1
"""The most that a last word may end after the audio: models count in frames of up to 80 ms."""


@dataclass(frozen=True, slots=True)
class ImportedWord(WordSpan):
    """A word, or a segment of several, of an imported alignment.

    Attributes:
        place: The file and, where it has one, the line.
    """

    place: str = ""


def log_confidence(confidence: float) -> float | None:
    """Return the logarithm of a confidence in 0…1; None for what is none."""
    return math.log(confidence) if 0.0 < confidence <= 1.0 else None


def damaged_time(words: Sequence[ImportedWord]) -> str | None:
    """Return the place of the first time that cannot be one and what is wrong, None without one.

    >>> damaged_time([ImportedWord("a", 1.27, 0.96, place="a.ctm:3")])
    'a.ctm:3: ends at 0.96 s, before it begins, at 1.27 s'
    """
    return next((f"{word.place}: {wrong}" for word in words if (wrong := _damage(word))), None)


def time_outside(words: Sequence[ImportedWord], begin_s: float, end_s: float) -> str | None:
    """Return the place of the first word that reaches out of a clip and by what, None without one.

    Args:
        words: With sound times.
        begin_s: Where the audio of the clip begins, by the same clock.
        end_s: Where it ends.
    """
    for word in words:
        begin, end = shown_time(word.start_s), shown_time(word.end_s)
        if word.start_s < begin_s - _ROUNDING_S:
            return f"{word.place}: begins at {begin}, the audio begins at {shown_time(begin_s)}"
        if word.start_s > end_s + _ROUNDING_S:
            return f"{word.place}: begins at {begin}, the audio ends at {shown_time(end_s)}"
        if word.end_s > end_s + _FRAME_S:
            return f"{word.place}: ends at {end}, the audio ends at {shown_time(end_s)}"
    return None


@lru_cache(maxsize=64)
def recording_end_s(path: str) -> float:
    """Return how long an audio file is by its header; infinite where that is not known here."""
    if is_remote(path):
        return math.inf
    try:
        with open_audio(path) as reader:
            frames = reader.promised_frames
            return frames / reader.rate if frames else math.inf
    except AudioError:
        return math.inf


def none_between(words: Sequence[ImportedWord], begin_s: float, end_s: float) -> str:
    """Say that none of the words lies between two times, and where they lie instead."""
    if not words:
        return "has no word with times"
    first = shown_time(min(word.start_s for word in words))
    last = shown_time(max(word.end_s for word in words))
    clip = f"{shown_time(begin_s)} and {shown_time(end_s)}, where the clip is"
    return f"has no word between {clip}; its words are between {first} and {last}"


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
    if word.start_s < -_ROUNDING_S:
        return f"begins at {begin}, before the audio"
    if word.end_s < word.start_s - _ROUNDING_S:
        return f"ends at {end}, before it begins, at {begin}"
    return None
