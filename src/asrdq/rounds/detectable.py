"""What change these data can show, and how many rows would show a given one."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from asrdq.rounds.paired import Floats, Integers

_POWER: Final = 0.80
_CONFIDENCE: Final = 0.95


def detectable_change(error: Floats, blocks: Integers) -> Floats:
    """Return the least true change that a two-sided test at 95 % finds with a power of 80 %.

    (t at 1 − α/2 + t at the power) · standard error of the change: the textbook formula, with
    the spread that these two rounds show.

    Args:
        error: Standard errors of changes, shape (cells,).
        blocks: Blocks they come from; NaN comes back below 2.

    Example:
        >>> round(float(detectable_change(np.array([0.01]), np.array([10**6]))[0]), 4)
        0.028
    """
    freedom = np.where(blocks > 1, blocks - 1.0, np.nan)
    found: Floats = (t.ppf(0.5 + _CONFIDENCE / 2, freedom) + t.ppf(_POWER, freedom)) * error
    return found


def rows_to_detect(rows: int, detectable: float, change: float) -> int | None:
    """Return how many rows of the same kind would detect a change; None where none would.

    The standard error falls with the square root of the rows, provided that more rows also
    bring more speakers.

    Args:
        rows: Rows that there are.
        detectable: What they can detect.
        change: What is to be detected; its sign does not matter.

    Example:
        >>> rows_to_detect(100, 0.10, -0.05)
        400
    """
    if not change or not math.isfinite(detectable):
        return None
    return max(2, math.ceil(rows * (detectable / change) ** 2 - 1e-9))


def holm(p: NDArray[np.float64]) -> Floats:
    """Return p values corrected for being many, by S. Holm (1979); NaN stays NaN.

    The probability that any group is called changed though none did stays at the level, whatever
    the groups have in common. (Benjamini and Hochberg's rule lets one in twenty of the groups that
    are called changed be a mistake; a regression that somebody acts on should not be one.)

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03]))
        array([0.03, 0.06, 0.06])
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
