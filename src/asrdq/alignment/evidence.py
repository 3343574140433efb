"""Measurements on an alignment that tell right transcripts from damaged ones.

All are larger for worse clips. Scores are natural logarithms per frame relative to the best
active state, so 0 is a perfect fit. Which of them separate, and how well, is in
`docs/decisions/0005-calibration.md`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FRAMES_A_SECOND: Final = 100
FRAME_S: Final = 1 / FRAMES_A_SECOND
_MARGIN_S: Final = 0.1
_LONG_SILENCE_FRAMES: Final = 15
_RUN_OF_PHONES: Final = 5
_RUN_OF_WORDS: Final = 3
_SHORTEST_PHONE_FRAMES: Final = 3
_WORST_SHARE: Final = 0.05

EVIDENCE: Final = (
    "wide_beams",
    "word_cost",
    "weak_phones",
    "weakest_word",
    "weakest_word_excess",
    "weakest_run_excess",
    "short_phones",
    "word_run_cost",
    "word_run_excess",
    "word_run_haste",
    "edge_excess",
    "edge_haste",
    "uncovered_voice",
    "longest_uncovered_s",
    "worst_silence",
    "total_silence",
)


@dataclass(frozen=True, slots=True)
class PlacedPhone:
    """A phone on the path: its length in frames and its total score."""

    name: str
    frames: int
    score: float


@dataclass(frozen=True)
class PlacedWord:
    """A word or silence on the path: first frame, frames, phones."""

    text: str
    start: int
    frames: int
    phones: tuple[PlacedPhone, ...]

    @cached_property
    def score(self) -> float:
        """The total score over its frames."""
        return sum(phone.score for phone in self.phones)

    @property
    def is_silence(self) -> bool:
        """Whether it stands between words: silence, noise or the ends of the clip."""
        return self.text.startswith(("<", "["))


def measure_evidence(
    placed: Sequence[PlacedWord],
    voiced: npt.NDArray[np.bool_],
    frames: int,
    *,
    needed_wide_beams: bool,
) -> dict[str, float]:
    """Measure everything in `EVIDENCE` on the path of one clip.

    Args:
        placed: Words and silences in order; at least one word.
        voiced: Voice activity of the clip, in equal parts of it.
        frames: Length of the clip in frames of 10 ms.
        needed_wide_beams: Whether only the widest beams found the path.
    """
    words = [word for word in placed if not word.is_silence]
    silences = [word for word in placed if word.is_silence]
    values = {
        "wide_beams": float(needed_wide_beams),
        **_fit_of_phones(words),
        **fit_of_word_runs(
            np.array([max(1, word.frames) for word in words]),
            np.array([len(word.text) for word in words]),
            np.array([-word.score for word in words]),
        ),
        **voice_outside(
            [(word.start * FRAME_S, (word.start + word.frames) * FRAME_S) for word in words],
            voiced,
            frames * FRAME_S,
        ),
        **_fit_of_silences(silences),
    }
    return {name: values[name] for name in EVIDENCE}


def _fit_of_phones(words: Sequence[PlacedWord]) -> dict[str, float]:
    phones = [phone for word in words for phone in word.phones]
    lengths = np.array([max(1, phone.frames) for phone in phones])
    costs = np.array([-phone.score for phone in phones]) / lengths
    excess = costs - np.median(costs)
    ends = np.cumsum([len(word.phones) for word in words])[:-1]
    by_word, excess_by_word = np.split(costs, ends), np.split(excess, ends)
    run = min(_RUN_OF_PHONES, len(excess))
    return {
        "word_cost": float(np.average(costs, weights=lengths)),
        "weak_phones": float(np.quantile(costs, 1 - _WORST_SHARE)),
        "weakest_word": float(max(part.mean() for part in by_word)),
        "weakest_word_excess": float(
            max(part.sum() / math.sqrt(len(part)) for part in excess_by_word)
        ),
        "weakest_run_excess": float(np.convolve(excess, np.full(run, 1 / run), "valid").max()),
        "short_phones": float((lengths <= _SHORTEST_PHONE_FRAMES).mean()),
    }


def fit_of_word_runs(
    frames: npt.NDArray[np.int64],
    characters: npt.NDArray[np.int64],
    costs: npt.NDArray[np.float64],
) -> dict[str, float]:
    """Measure runs of three words: words too many are squeezed into what audio there is.

    Args:
        frames: Length of each word, (n,), at least 1.
        characters: Letters of each word, (n,).
        costs: Total cost of each word, (n,).

    Returns:
        The worst run's cost per frame, the same above the median word's, how much faster than
        the clip's usual the fastest run is (log), and the last two for the first and last run.
    """
    size = min(_RUN_OF_WORDS, len(frames))
    run_frames = _run_sums(frames, size)
    run_cost = _run_sums(costs, size) / run_frames
    usual_cost = float(np.median(costs / frames))
    usual_length = float(np.median(frames / characters))
    haste = np.log(usual_length * _run_sums(characters, size) / run_frames)
    return {
        "word_run_cost": float(run_cost.max()),
        "word_run_excess": float(run_cost.max()) - usual_cost,
        "word_run_haste": float(haste.max()),
        "edge_excess": float(max(run_cost[0], run_cost[-1])) - usual_cost,
        "edge_haste": float(max(haste[0], haste[-1])),
    }


def _run_sums(values: npt.NDArray[Any], size: int) -> npt.NDArray[np.float64]:
    return np.convolve(values.astype(np.float64), np.ones(size), "valid")


def voice_outside(
    spans: Sequence[tuple[float, float]], voiced: npt.NDArray[np.bool_], duration_s: float
) -> dict[str, float]:
    """Measure the voice that no word covers: words that are missing in the text.

    Args:
        spans: Begin and end of each word in seconds.
        voiced: Voice activity of the clip, in equal parts of it.
        duration_s: Length of the clip.

    Returns:
        The share of voice outside of words, and the longest stretch of it (log of seconds + 1).
    """
    part_s = duration_s / max(1, len(voiced))
    middles = (np.arange(len(voiced)) + 0.5) * part_s
    inside = np.zeros(len(voiced), dtype=np.bool_)
    for start_s, end_s in spans:
        inside |= (middles >= start_s - _MARGIN_S) & (middles <= end_s + _MARGIN_S)
    outside = voiced & ~inside
    return {
        "uncovered_voice": float(outside.sum() / max(1, voiced.sum())),
        "longest_uncovered_s": math.log1p(_longest_run(outside) * part_s),
    }


def _fit_of_silences(silences: Sequence[PlacedWord]) -> dict[str, float]:
    """How badly the silence model fits where the path has silence: speech without words."""
    costs = [(-silence.score, silence.frames) for silence in silences]
    long_ones = [cost / frames for cost, frames in costs if frames > _LONG_SILENCE_FRAMES]
    return {
        "worst_silence": max(long_ones, default=0.0),
        "total_silence": math.log1p(max([0.0, *(cost for cost, _ in costs)])),
    }


def _longest_run(flags: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
