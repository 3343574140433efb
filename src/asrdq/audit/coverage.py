"""How much of a clip its transcript covers, and how much of the transcript its audio holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from asrdq.alignment.protocol import WordSpan

SHORTEST_WORD_S: Final = 0.03
LONGEST_WORD_S: Final = 2.0
LONGEST_PER_CHARACTER_S: Final = 0.25
SPAN_MARGIN_S: Final = 0.1
_ROUNDING_S: Final = 1e-6
"""What times in seconds may be off by since they were counted in frames or samples."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares in 0…1, as `docs/definitions.md` defines them.

    Attributes:
        plausible: For each span whether its place and length can be those of its word.
        text: Words with a plausible span ÷ words of the transcript, each counted by the share of
            its characters that the aligner could look for; 0 for an empty text.
        speech: Voiced seconds inside the widened word spans ÷ voiced seconds; 0 where there is
            a text and no voice.
    """

    plausible: tuple[bool, ...]
    text: float
    speech: float

    @property
    def lower(self) -> float:
        """The smaller of the two: the coverage that the verdict looks at."""
        return min(self.text, self.speech)


def measure_coverage(
    spans: Sequence[WordSpan],
    word_count: int,
    voiced: npt.NDArray[np.bool_],
    frame_s: float,
    duration_s: float,
) -> Coverage:
    """Measure the coverage of one aligned clip.

    Args:
        spans: The words that were placed; an aligner that returns a span for every token
            whatever the audio gains nothing by it, since spans must be plausible and lie where
            there is voice.
        word_count: Words of the transcript.
        voiced: Voice activity of the clip, one value a frame.
        frame_s: Seconds a frame.
        duration_s: Seconds of audio; a span that ends over 30 ms later, or begins so much before
            it, is not plausible.
    """
    plausible = tuple(_is_plausible(span, duration_s) for span in spans)
    inside = covered_frames(spans, len(voiced), frame_s, SPAN_MARGIN_S)
    voiced_frames = int(voiced.sum())
    return Coverage(
        plausible=plausible,
        text=_kept(spans, plausible) / word_count if word_count else 0.0,
        speech=float((voiced & inside).sum() / voiced_frames) if voiced_frames else 0.0,
    )


def covered_frames(
    spans: Sequence[WordSpan], frames: int, frame_s: float, margin_s: float
) -> npt.NDArray[np.bool_]:
    """Mark the frames whose middle lies in a span widened by the margin on both sides."""
    middles = (np.arange(frames) + 0.5) * frame_s
    inside = np.zeros(frames, dtype=np.bool_)
    for span in spans:
        inside |= (middles >= span.start_s - margin_s) & (middles <= span.end_s + margin_s)
    return inside


def _kept(spans: Sequence[WordSpan], plausible: Sequence[bool]) -> float:
    return sum(
        span.kept for span, is_plausible in zip(spans, plausible, strict=True) if is_plausible
    )


def _is_plausible(span: WordSpan, duration_s: float) -> bool:
    length_s = span.end_s - span.start_s
    longest_s = LONGEST_WORD_S + LONGEST_PER_CHARACTER_S * len(span.word)
    edge_s = SHORTEST_WORD_S
    inside = span.start_s >= -edge_s and span.end_s <= duration_s + edge_s
    return inside and SHORTEST_WORD_S - _ROUNDING_S <= length_s <= longest_s + _ROUNDING_S


def is_length_mismatch(characters: int, duration_s: float, rate: float) -> bool:
    """Say whether a text is far too long or far too short for its audio.

    With e = characters ÷ rate: |d - e| > 0.5 · max(d, e), the same as characters per second
    outside [rate / 2, 2 · rate].

    >>> [is_length_mismatch(n, 10.0, 10.0) for n in (49, 50, 200, 201)]
    [True, False, False, True]
    """
    expected_s = characters / rate
    return abs(duration_s - expected_s) > 0.5 * max(duration_s, expected_s)
