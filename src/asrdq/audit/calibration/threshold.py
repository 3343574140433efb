"""Where to draw the line between right and suspect clips, when some untouched ones are faulty."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]

_FOUND_SHARES: Final = (0.75, 0.8, 0.85, 0.9, 0.95)
_FEW_FOUND: Final = (0.6, 0.5, 0.4, 0.3)
_SURELY: Final = 0.999
_TAIL_SHARE: Final = 0.2
_CUT_AT_MEANS: Final = 3.0
_LARGEST: Final = float(np.finfo(np.float64).max)
"""Scores of clips without an alignment, inf, are above even this."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A decision threshold.

    Attributes:
        value: Scores above it are suspect.
        hidden_share: Estimated share of the untouched clips that are really faulty.
    """

    value: float
    hidden_share: float


def find_threshold(untouched: Scores, planted: Scores, budget: float) -> Threshold:
    """Find the score that at most `budget` of the right clips exceed.

    Untouched clips are a mixture: right ones and faulty ones that look like planted ones. Above a
    score that hardly any right clip has, the share of untouched clips divided by the share of
    planted ones is the share of faulty clips (mixture proportion estimation, Blanchard, Lee and
    Scott 2010). Without those clips the upper tail of the scores is taken as exponential, which
    gives a quantile that few clips would leave to chance.

    Args:
        untouched: Scores of the clips as they are, (n,); inf where there was no alignment.
        planted: Scores of copies with gross faults, (m,).
        budget: Share of right clips that may be called suspect.
    """
    ordered = np.sort(untouched)
    hidden = _hidden_share(ordered, np.sort(planted))
    right = ordered[: max(1, round(len(ordered) * (1.0 - hidden)))]
    finite = right[np.isfinite(right)]
    if not len(finite):
        return Threshold(math.inf, hidden)
    start = float(np.quantile(finite, 1.0 - _TAIL_SHARE))
    tail = finite[finite > start]
    mean_excess = _mean_excess(tail - start) if len(tail) else 0.0
    value = start + mean_excess * math.log(_TAIL_SHARE / min(budget, _TAIL_SHARE))
    return Threshold(value, hidden)


def _mean_excess(excesses: Scores) -> float:
    """Estimate the mean of an exponential from values of which a few are too large.

    Those are cut at three times the mean that the median implies; the cut's effect on a true
    exponential is taken out.
    """
    cut = _CUT_AT_MEANS * float(np.median(excesses)) / math.log(2.0)
    return float(np.minimum(excesses, cut).mean()) / -math.expm1(-_CUT_AT_MEANS)


def _hidden_share(untouched: Scores, planted: Scores) -> float:
    """Return the usual ratio of exceedances over a few scores that most planted clips exceed.

    Every ratio bounds the share from above, since right clips exceed a score too; but the least of
    several noisy ratios would be too small. Where the instrument separates well they differ by
    noise only, so their median is taken. Where it does not, the ratio at some score that few right
    clips exceed is less, and surely so: then the one with the least upper bound.
    """
    usual = [ratio for ratio, _ in _ratios(untouched, planted, _FOUND_SHARES)]
    median = float(np.median(usual)) if usual else 0.0
    few = [(at_most, ratio) for ratio, at_most in _ratios(untouched, planted, _FEW_FOUND)]
    at_most, ratio = min(few, default=(math.inf, 0.0))
    return min(0.9, ratio if at_most < median else median)


def _ratios(
    untouched: Scores, planted: Scores, shares: Sequence[float]
) -> Iterator[tuple[float, float]]:
    """Give exceedances of untouched to those of planted clips, each with its upper bound.

    The bound is that of a Poisson count (Garwood 1936).

    Args:
        untouched: Sorted scores, (n,).
        planted: Sorted scores, (m,).
        shares: Planted clips that are to exceed a score; where none does there is no ratio.
    """
    from scipy.special import gammaincinv

    for share in shares if len(planted) else ():
        cut = min(planted[int(len(planted) * (1.0 - share))], _LARGEST)
        found = float((planted > cut).mean())
        if found > 0.0:
            above, scale = int((untouched > cut).sum()), len(untouched) * found
            yield above / scale, float(gammaincinv(above + 1, _SURELY)) / scale
