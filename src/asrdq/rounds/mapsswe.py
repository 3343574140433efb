"""MAPSSWE: the matched-pairs sentence-segment word error test of NIST.

Neighbouring word errors are not independent, so words cannot be counted as trials. Where both
rounds have a run of words right, what comes after hardly depends on what came before: such runs
cut the utterances into segments, and the differences of the errors of a segment are the sample.

Source: L. Gillick and S. Cox, "Some statistical issues in the comparison of speech recognition
algorithms", ICASSP 1989; the segments are those of `sc_stats` of the NIST toolkit SCTK.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Integers = NDArray[np.int64]

BOUNDARY_WORDS = 2
"""Words that both rounds have right before a segment ends; the default of sc_stats."""


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Where one round is wrong: one entry an error.

    Attributes:
        utterance: Number of the utterance, the same in both rounds.
        slot: 2 i + 1 where word i of the reference is substituted or deleted, and 2 i for a word
            inserted before word i (2 N after the last of N words).
    """

    utterance: Integers
    slot: Integers


@dataclass(frozen=True, slots=True)
class SegmentTest:
    """The outcome of the test.

    Attributes:
        segments: Segments in which at least one round has an error.
        errors_before: Word errors of the first round.
        errors_after: Word errors of the second round.
        mean: Mean over segments of errors before − errors after; positive where the second
            round is better.
        deviation: Standard deviation of these differences (n − 1); null with one segment.
        z: Mean ÷ its standard error. 0 where no segment differs; null where all differ by the
            same amount, about which the test cannot speak (sc_stats prints 0 there).
        p: Two-sided, from the normal distribution.
    """

    segments: int
    errors_before: int
    errors_after: int
    mean: float
    deviation: float | None
    z: float | None
    p: float | None


def mapsswe(
    before: WordErrors, after: WordErrors, *, boundary_words: int = BOUNDARY_WORDS
) -> SegmentTest:
    """Test whether two rounds make equally many word errors a segment.

    Without any error there is no segment, and p is 1.

    Example:
        >>> import numpy as np
        >>> one = WordErrors(np.array([0, 0, 1]), np.array([1, 11, 3]))
        >>> two = WordErrors(np.array([1]), np.array([1]))
        >>> mapsswe(one, two).segments
        3
    """
    errors_before, errors_after = segment_errors(before, after, boundary_words)
    difference = errors_before - errors_after
    segments = len(difference)
    mean = float(difference.mean()) if segments else 0.0
    deviation = float(difference.std(ddof=1)) if segments > 1 else None
    z = _z(difference, mean, deviation)
    return SegmentTest(
        segments,
        int(errors_before.sum()),
        int(errors_after.sum()),
        mean,
        deviation,
        z,
        None if z is None else float(2 * norm.sf(abs(z))),
    )


def segment_errors(
    before: WordErrors, after: WordErrors, boundary_words: int = BOUNDARY_WORDS
) -> tuple[Integers, Integers]:
    """Return the errors of each round in each segment, shape (segments,).

    An error opens a segment unless fewer than `boundary_words` words that both rounds have right
    lie between it and the error before it in the same utterance.
    """
    utterance = np.concatenate([before.utterance, after.utterance])
    slot = np.concatenate([before.slot, after.slot])
    in_after = np.arange(len(slot)) >= len(before.slot)
    order = np.lexsort((slot, utterance))
    utterance, slot, in_after = utterance[order], slot[order], in_after[order]
    right_between = slot[1:] // 2 - (slot[:-1] + 1) // 2
    opens = (utterance[1:] != utterance[:-1]) | (right_between >= boundary_words)
    segment = np.concatenate([np.zeros(min(1, len(slot)), np.int64), np.cumsum(opens)])
    count = int(segment[-1]) + 1 if len(segment) else 0
    total = np.bincount(segment, minlength=count)
    errors_after = np.bincount(segment[in_after], minlength=count)
    return total - errors_after, errors_after


def _z(difference: Integers, mean: float, deviation: float | None) -> float | None:
    if not difference.any():
        return 0.0
    if not deviation:
        return None
    return mean / (deviation / math.sqrt(len(difference)))
