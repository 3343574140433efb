"""Where a word begins and ends that a CTC model is sure of in a few frames."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from asrdq.alignment.viterbi import BestPath
from asrdq.audio import FRAME_S as VOICED_FRAME_S

_SHORT_S: Final = 0.2
_LETTER_S: Final = 0.15
"""A word reaches into voiced silence of the model to this length at most: that of slow speech."""
_LATE_S: Final = 0.2
"""How far from the voice a model may say a word."""


def word_edges(
    path: BestPath,
    starred: npt.NDArray[np.bool_],
    letters: npt.NDArray[np.int64],
    voiced: npt.NDArray[np.bool_],
    frame_s: float,
) -> npt.NDArray[np.int64]:
    """Return first and last frame + 1 of each word, widened, (words, 2); -1 for one left out.

    Args:
        path: The best path.
        starred: Frames of another sound than the text's, (frames,).
        letters: Letters of each word, (words,).
        voiced: Voice activity of the clip, `FRAME_S` each.
        frame_s: Seconds a frame of the path.
    """
    count = len(path.left_out)
    edges = np.full((count, 2), -1, dtype=np.int64)
    there = np.flatnonzero(~path.left_out)
    for word in there:
        frames = np.flatnonzero(path.word == word)
        edges[word] = frames[0], frames[-1] + 1
    middle_s = (np.arange(len(path.word)) + 0.5) * frame_s
    part = np.minimum((middle_s / VOICED_FRAME_S).astype(np.int64), max(0, len(voiced) - 1))
    free = ~starred & (voiced[part] if len(voiced) else np.zeros(len(part), np.bool_))
    longest = np.round((_SHORT_S + _LETTER_S * letters) / frame_s).astype(np.int64)
    late = round(_LATE_S / frame_s)
    tight = edges[there].copy()
    for at, word in enumerate(there):
        first, last = tight[at]
        before = (tight[at - 1][1] + first + 1) // 2 if at else 0
        after = (last + tight[at + 1][0]) // 2 if at + 1 < len(there) else len(path.word)
        first, last = _at_voice(
            first, last, max(before, first - late), min(after, last + late), free
        )
        edges[word] = _widened(first, last, before, after, int(longest[word]), free)
    return edges


def _at_voice(
    first: int, last: int, before: int, after: int, free: npt.NDArray[np.bool_]
) -> tuple[int, int]:
    """Return a word that lies in silence with the nearest free frame between two limits."""
    there = before + np.flatnonzero(free[before:after])
    if not len(there) or free[first:last].any():
        return first, last
    nearest = int(there[np.abs(there - (first + last - 1) / 2).argmin()])
    return min(first, nearest), max(last, nearest + 1)


def _widened(
    first: int, last: int, before: int, after: int, longest: int, free: npt.NDArray[np.bool_]
) -> tuple[int, int]:
    """Return a word that took free frames on both sides in turn, between two limits."""
    while last - first < longest:
        left, right = first > before and free[first - 1], last < after and free[last]
        if not left and not right:
            break
        first -= bool(left)
        last += bool(right) and last - first < longest
    return first, last
