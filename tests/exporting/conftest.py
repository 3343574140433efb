"""What tests of exports with audio share: signals in files, and stand-ins by name in workers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parent))

WriteTone = Callable[..., Path]


def tone(seconds: float, rate: int, hertz: float) -> NDArray[np.float64]:
    """A sine at half of full scale."""
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


@pytest.fixture
def write_tone(tmp_path: Path) -> WriteTone:
    """Write a sine: `write_tone("a.wav", 1.0, rate=48_000, hertz=[440, 1000])`."""

    def write(
        name: str, seconds: float = 1.0, *, rate: int = 16_000, hertz: list[float] | None = None
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        channels = [tone(seconds, rate, each) for each in hertz or [440.0]]
        soundfile.write(path, np.stack(channels, axis=1), rate)
        return path

    return write
