"""Signals that tests of audio write to files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 16_000


def tone(seconds: float, rate: int = RATE, hertz: float = 440.0) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
