"""Where a recording is cut: at pauses that alignment and voice activity agree on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from asrdq.alignment import WordSpan
from asrdq.audio import FRAME_S
from asrdq.audit.coverage import measure_coverage
from asrdq.text.partings import Parting

SHORT_PAUSE_COSTS: Final = 0.2
"""What a cut at the shortest pause costs beside a piece that is 45 % under the limit; a long
pause costs nothing."""
_NO_WAY: Final = 1000.0


class KeptBack(StrEnum):
    """Why a recording, or a piece of one, is not in the manifest that was cut.

    An alignment that failed, and audio that cannot be read, have the names of their own.
    """

    NO_DURATION = "no_duration"
    """The manifest does not say how long it is."""
    EMPTY_TEXT = "empty_text"
    """There is no word to say what would be in a piece."""
    LOW_QUALITY = "low_quality"
    """The newest audit of this content found it so."""
    WORDS_MISSING = "words_missing"
    """The alignment has not one span a word."""
    LOW_COVERAGE = "low_coverage"
    """Text and audio do not cover one another, in the whole or in this piece."""
    NO_PAUSE = "no_pause"
    """No pause between two placed words, within the greatest length."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a piece may be.

    Attributes:
        longest_s: Greatest length in seconds.
        pause_s: Least silence at a cut, in seconds.
        coverage: Least coverage of a piece, 0…1.
    """

    longest_s: float
    pause_s: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a recording with the words that are spoken in it.

    Attributes:
        start_s: Seconds from the start of the clip.
        end_s: The same; the next piece starts there.
        text_start: Where its text starts in the transcript.
        text_end: Where it ends, the white space that follows left to the next piece.
        words: Spoken words.
        coverage: The lower of text and speech coverage, of this piece alone.
        kept_back: Why it is not to be used; None where it is.
    """

    start_s: float
    end_s: float
    text_start: int
    text_end: int
    words: int
    coverage: float
    kept_back: KeptBack | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a cut may be: in the middle of a pause, between two words."""

    time_s: float
    pause_s: float
    text: Parting


def cut_pieces(
    spans: Sequence[WordSpan],
    plausible: Sequence[bool],
    voiced: NDArray[np.bool_],
    parted: Sequence[Parting],
    duration_s: float,
    limits: Limits,
) -> list[Piece]:
    """Cut a recording into pieces that hold all of its audio and all of its text, in order.

    A cut lies in the middle of a stretch without voice, between two words that the aligner placed
    plausibly, where the transcript can be parted. Of all ways to do it that one is taken whose
    pieces are fewest and most alike in length, with the longest pauses between them. Where there
    is no way, the stretch from one possible cut to the next is a piece that is kept back, and so
    is one whose words and audio do not cover one another.

    Args:
        spans: One a spoken word.
        plausible: Whether each lies where its word can be.
        voiced: Voice activity, one value for each 30 ms.
        parted: Where the transcript can be parted, its beginning and its end with them.
        duration_s: Of the recording.
        limits: What a piece may be.
    """
    places = list(_places(spans, plausible, voiced, parted, duration_s, limits.pause_s))
    chosen = _cheapest(places, limits)
    return [_piece(first, last, spans, voiced, limits) for first, last in pairwise(chosen)]


def _places(
    spans: Sequence[WordSpan],
    plausible: Sequence[bool],
    voiced: NDArray[np.bool_],
    parted: Sequence[Parting],
    duration_s: float,
    pause_s: float,
) -> Iterator[_Place]:
    yield _Place(0.0, 0.0, parted[0])
    for parting in parted[1:-1]:
        before, after = parting.words - 1, parting.words
        if plausible[before] and plausible[after]:
            start, end = _longest_silence(voiced, spans[before].end_s, spans[after].start_s)
            if end - start >= pause_s:
                yield _Place(round((start + end) / 2, 3), end - start, parting)
    yield _Place(round(duration_s, 3), 0.0, parted[-1])


def _longest_silence(
    voiced: NDArray[np.bool_], after_s: float, before_s: float
) -> tuple[float, float]:
    """Return the longest stretch without voice in an interval, in seconds; (0, 0) for none."""
    first, last = int(np.ceil(after_s / FRAME_S - 1e-6)), int(before_s / FRAME_S + 1e-6)
    silent = np.concatenate([[False], ~voiced[first:last], [False]])
    edges = np.flatnonzero(silent[1:] != silent[:-1])
    if not len(edges):
        return 0.0, 0.0
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return float(first + starts[longest]) * FRAME_S, float(first + ends[longest]) * FRAME_S


def _cheapest(places: Sequence[_Place], limits: Limits) -> list[_Place]:
    """Return the places of the cheapest way from the first to the last."""
    cost, came = [0.0], [0]
    for here in range(1, len(places)):
        ways = [(cost[here - 1] + _NO_WAY, here - 1)]
        for before in range(here - 1, -1, -1):
            length_s = places[here].time_s - places[before].time_s
            if length_s > limits.longest_s:
                break
            ways.append((cost[before] + (1 - length_s / limits.longest_s) ** 2, before))
        least, before = min(ways)
        pause_s = places[here].pause_s
        cost.append(least + (SHORT_PAUSE_COSTS * limits.pause_s / pause_s if pause_s else 0.0))
        came.append(before)
    way = [len(places) - 1]
    while way[-1]:
        way.append(came[way[-1]])
    return [places[number] for number in reversed(way)]


def _piece(
    first: _Place,
    last: _Place,
    spans: Sequence[WordSpan],
    voiced: NDArray[np.bool_],
    limits: Limits,
) -> Piece:
    own = [
        replace(span, start_s=span.start_s - first.time_s, end_s=span.end_s - first.time_s)
        for span in spans[first.text.words : last.text.words]
    ]
    heard = voiced[round(first.time_s / FRAME_S) : round(last.time_s / FRAME_S)]
    length_s = last.time_s - first.time_s
    coverage = measure_coverage(own, len(own), heard, FRAME_S, length_s).lower
    kept_back = None
    if length_s > limits.longest_s:
        kept_back = KeptBack.NO_PAUSE
    elif coverage < limits.coverage:
        kept_back = KeptBack.LOW_COVERAGE
    return Piece(
        start_s=first.time_s,
        end_s=last.time_s,
        text_start=first.text.position,
        text_end=last.text.position,
        words=len(own),
        coverage=coverage,
        kept_back=kept_back,
    )
