"""A curve in a line of text."""

from __future__ import annotations

from typing import Final

import numpy as np

from asrdq.monitoring.series import Floats

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_NO_NUMBER: Final = "×"


def sparkline(values: Floats, width: int = 32) -> str:
    """Return values as blocks, at most `width` of them; × stands where any value is no number.

    >>> sparkline(np.array([0.0, 1.0, 2.0, float("nan")]), 4)
    '▁▅█×'
    """
    parts = np.array_split(values, min(width, len(values))) if len(values) else []
    finite = values[np.isfinite(values)]
    if not len(finite):
        return _NO_NUMBER * len(parts)
    low, high = float(finite.min()), float(finite.max())
    return "".join(_block(part, low, high) for part in parts)


def _block(part: Floats, low: float, high: float) -> str:
    if not np.isfinite(part).all():
        return _NO_NUMBER
    if high <= low:
        return _BLOCKS[0]
    share = (float(part.mean()) - low) / (high - low)
    return _BLOCKS[min(len(_BLOCKS) - 1, int(share * len(_BLOCKS)))]
