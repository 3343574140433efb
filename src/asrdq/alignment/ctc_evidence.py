"""Measurements on a CTC path that tell right transcripts from damaged ones.

All are larger for worse clips. Scores are natural logarithms of posteriors, 0 where the model is
sure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from asrdq.alignment.evidence import fit_of_word_runs, voice_outside
from asrdq.alignment.viterbi import BETWEEN, BestPath

CTC_EVIDENCE: Final = (
    "word_cost",
    "weak_tokens",
    "weakest_word",
    "weakest_word_excess",
    "windowed_minimum",
    "path_excess",
    "absent_words",
    "word_run_cost",
    "word_run_excess",
    "word_run_haste",
    "edge_excess",
    "edge_haste",
    "uncovered_voice",
    "longest_uncovered_s",
    "other_sounds",
)
_WINDOW_S: Final = 0.6
"""The window of ctc-segmentation (Kürzinger et al. 2020) is 30 frames of its models."""
_WORST_SHARE: Final = 0.05


@dataclass(frozen=True)
class AlignedPath:
    """The best path of a clip and what it is measured against.

    Attributes:
        path: The path through the words that have tokens.
        edges: First frame and last frame + 1 of each of them, -1 where it is left out, (words, 2).
        starred: Frames between words that hold another sound, (frames,).
        likeliest: Log posterior of the likeliest token of each frame, (frames,).
        letters: Letters of each word, (words,).
        price: What leaving out each word costs, (words,).
        frame_s: Seconds a frame.
    """

    path: BestPath
    edges: npt.NDArray[np.int64]
    starred: npt.NDArray[np.bool_]
    likeliest: npt.NDArray[np.float64]
    letters: npt.NDArray[np.int64]
    price: npt.NDArray[np.float64]
    frame_s: float

    @cached_property
    def _by_word(self) -> list[npt.NDArray[np.float64]]:
        inside = self.path.token >= 0
        return [
            self.path.scores[inside & (self.path.word == word)]
            for word in range(len(self.path.left_out))
        ]

    def token_scores(self, word: int) -> npt.NDArray[np.float64]:
        """Return the log posteriors of the frames in which a word has a token, blanks left out."""
        return self._by_word[word]


def measure_path(
    aligned: AlignedPath, voiced: npt.NDArray[np.bool_], duration_s: float
) -> dict[str, float]:
    """Measure everything in `CTC_EVIDENCE`; at least one word is on the path.

    Cost and haste of runs of words are of the frames in which the model says them; how far they
    reach into its silence (`edges`) tells nothing of the words.

    Args:
        aligned: The path.
        voiced: Voice activity of the clip, in equal parts of it.
        duration_s: Seconds of audio.
    """
    left_out = aligned.path.left_out
    there = np.flatnonzero(~left_out)
    by_word = [-aligned.token_scores(int(word)) for word in there]
    costs = np.concatenate(by_word)
    excess = [one - np.median(costs) for one in by_word]
    said = aligned.path.word[aligned.path.word != BETWEEN]
    lengths = np.maximum(1, np.bincount(said, minlength=len(left_out)))
    totals = np.where(left_out, aligned.price, 0.0)
    totals[there] = [one.mean() * lengths[word] for word, one in zip(there, by_word, strict=True)]
    spans = [(a * aligned.frame_s, b * aligned.frame_s) for a, b in aligned.edges[there]]
    values = {
        "word_cost": float(np.mean([one.mean() for one in by_word])),
        "weak_tokens": float(np.quantile(costs, 1 - _WORST_SHARE)),
        "weakest_word": float(max(one.mean() for one in by_word)),
        "weakest_word_excess": float(max(one.sum() / math.sqrt(len(one)) for one in excess)),
        "windowed_minimum": -windowed_minimum(aligned.path.scores, aligned.frame_s),
        "path_excess": float((aligned.likeliest - aligned.path.scores).mean()),
        "absent_words": float(left_out.mean()),
        **fit_of_word_runs(lengths, aligned.letters, totals),
        **voice_outside(spans, voiced, duration_s),
        "other_sounds": float(aligned.starred.sum() / max(1, (aligned.path.word != BETWEEN).sum())),
    }
    return {name: values[name] for name in CTC_EVIDENCE}


def windowed_minimum(scores: npt.NDArray[np.float64], frame_s: float) -> float:
    """Return the mean log posterior of the worst 0.6 s of a path, as ctc-segmentation does.

    >>> scores = np.array([0.0] * 30 + [-2.0] * 15 + [0.0] * 30)
    >>> round(windowed_minimum(scores, 0.02), 6)
    -1.0
    """
    size = min(len(scores), max(1, round(_WINDOW_S / frame_s)))
    return float(np.convolve(scores, np.full(size, 1 / size), "valid").min())
