"""The best path of a text through the frame posteriors of a CTC model.

Between words stands a state of its own that takes silence, the mark between words, or, at a price,
any other sound: a star, for audio that the text does not have (Pratap et al. 2023, "Scaling speech
technology to 1,000+ languages"). A word can be left out, at a price too, for text that the audio
does not have. A token that is repeated needs a blank between (Graves et al. 2006).

No library does all of that: the Viterbi of torchaudio has no star, no words left out and no release
for this torch; that of NeMo Forced Aligner has neither, and returns a path where there is none.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

BETWEEN: Final = -1
"""A frame between words, or before the first and after the last."""

_STAY, _STEP, _LEAP = 0, 1, 2


@dataclass(frozen=True)
class BestPath:
    """The best path, frame by frame.

    Attributes:
        word: Index of the word at each frame, `BETWEEN` where there is none, (frames,).
        token: Index of the token of the whole text, -1 at a blank, (frames,).
        scores: Log posterior of each frame on the path, prices left out, (frames,).
        left_out: For each word whether the path goes around it, (words,).
    """

    word: Indices
    token: Indices
    scores: npt.NDArray[np.float64]
    left_out: npt.NDArray[np.bool_]


def frames_needed(words: Sequence[Sequence[int]]) -> int:
    """Return the fewest frames that spell words: one a token, one more between equal ones.

    >>> frames_needed([[1, 2], [2]]), frames_needed([])
    (4, 0)
    """
    tokens = [token for word in words for token in word]
    return len(tokens) + sum(a == b for a, b in itertools.pairwise(tokens))


def best_path(
    posteriors: Scores,
    words: Sequence[Sequence[int]],
    blank: int,
    between: Scores,
    price: npt.NDArray[np.float64],
) -> BestPath | None:
    """Return the path with the highest sum of log posteriors, less the prices of words left out.

    Of equal ones the path that stays where it is last wins over one that goes on.

    Args:
        posteriors: Log posteriors, (frames, tokens).
        words: Tokens of each word; none is empty.
        blank: Index of the blank.
        between: Score of each frame between words, (frames,).
        price: What it costs to leave out each word, (words,), finite.

    Returns:
        None where no path has a score above -inf, as where there are too few frames.
    """
    lattice = _Lattice.of(words, blank)
    score, came, leapt = _forward(posteriors, lattice, between, price)
    ends = [state for state in (lattice.size - 1, lattice.size - 2) if state >= 0]
    last = max(ends, key=lambda state: score[state])
    if not np.isfinite(score[last]):
        return None
    states, left_out = _traced(last, came, leapt, lattice)
    token = np.where(states % 2 == 1, states // 2, -1)
    inside = np.where(lattice.is_between[states], BETWEEN, lattice.word_of[states])
    emitted = np.where(
        lattice.is_between[states],
        between,
        posteriors[np.arange(len(states)), lattice.labels[states]],
    )
    return BestPath(inside, token, emitted.astype(np.float64), left_out)


@dataclass(frozen=True)
class _Lattice:
    """States in a row: blank or gap, token, blank or gap, token, … blank or gap.

    Attributes:
        labels: Token that each state emits; a gap emits `between` in its place.
        is_between: The gaps.
        word_of: Word that each state belongs to; a gap, to the word after it.
        may_leap: Tokens that may follow the token before them without a blank.
        gaps: States of the gaps, one more than words.
    """

    labels: Indices
    is_between: npt.NDArray[np.bool_]
    word_of: Indices
    may_leap: npt.NDArray[np.bool_]
    gaps: Indices

    @property
    def size(self) -> int:
        return len(self.labels)

    @classmethod
    def of(cls, words: Sequence[Sequence[int]], blank: int) -> _Lattice:
        tokens = np.array([token for word in words for token in word], dtype=np.int64)
        labels = np.full(2 * len(tokens) + 1, blank, dtype=np.int64)
        labels[1::2] = tokens
        lengths = np.array([len(word) for word in words], dtype=np.int64)
        gaps = 2 * np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        is_between = np.zeros(len(labels), dtype=np.bool_)
        is_between[gaps] = True
        word_of = np.zeros(len(labels), dtype=np.int64)
        word_of[:-1] = np.repeat(np.arange(len(words)), 2 * lengths)
        word_of[-1] = len(words)
        may_leap = np.zeros(len(labels), dtype=np.bool_)
        may_leap[3::2] = tokens[1:] != tokens[:-1]
        return cls(labels, is_between, word_of, may_leap, gaps)


def _forward(
    posteriors: Scores, lattice: _Lattice, between: Scores, price: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8], npt.NDArray[np.int32]]:
    """Return the scores after the last frame, and where each state of each frame came from.

    The second is the arc from the frame before, (frames, states); the third, for each gap, the
    gap of the same frame from which words were left out, (frames, gaps).
    """
    frames, gaps = len(posteriors), lattice.gaps
    spent = np.concatenate([[0.0], np.cumsum(price)])
    came = np.zeros((frames, lattice.size), dtype=np.int8)
    leapt = np.empty((frames, len(gaps)), dtype=np.int32)
    score = np.full(lattice.size, -np.inf)
    arcs = np.full((3, lattice.size), -np.inf)
    order = np.arange(len(gaps), dtype=np.int32)
    for frame in range(frames):
        emitted = posteriors[frame, lattice.labels].astype(np.float64)
        emitted[gaps] = between[frame]
        if frame == 0:
            score[:2] = emitted[:2]
        else:
            arcs[_STAY] = score
            arcs[_STEP, 1:] = score[:-1]
            arcs[_LEAP, 2:] = np.where(lattice.may_leap[2:], score[:-2], -np.inf)
            came[frame] = arcs.argmax(axis=0)
            score = arcs.max(axis=0) + emitted
        owed = score[gaps] + spent
        best = np.maximum.accumulate(owed)
        leapt[frame] = np.maximum.accumulate(np.where(owed == best, order, 0))
        score[gaps] = best - spent
    return score, came, leapt


def _traced(
    last: int,
    came: npt.NDArray[np.int8],
    leapt: npt.NDArray[np.int32],
    lattice: _Lattice,
) -> tuple[Indices, Any]:
    """Follow the arcs back: the state that emitted each frame, and the words left out."""
    gap_of = {int(state): gap for gap, state in enumerate(lattice.gaps)}
    states = np.empty(len(came), dtype=np.int64)
    left_out = np.zeros(len(lattice.gaps) - 1, dtype=np.bool_)
    state = last
    for frame in range(len(came) - 1, -1, -1):
        if state in gap_of:
            gap = gap_of[state]
            before = int(leapt[frame, gap])
            left_out[before:gap] = True
            state = int(lattice.gaps[before])
        states[frame] = state
        state -= int(came[frame, state])
    return states, left_out
