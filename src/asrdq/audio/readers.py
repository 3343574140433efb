"""What reading a file means, whichever library does it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from asrdq.audio.reasons import AudioReason

Samples = NDArray[np.float32]

BLOCK_FRAMES = 1 << 14
"""Frames read at a time, so that an hours-long file does not fill the memory."""


class Defect(NamedTuple):
    """What a reader found wrong with the audio itself."""

    reason: AudioReason
    detail: str


class Reader(Protocol):
    """An open audio file.

    Attributes:
        rate: Frames a second.
        channels: Samples a frame.
        codec: How the samples are coded: pcm, flac, mp3, opus …
        sample_format: Type of a decoded sample: u8, s16, s24, s32, f32, f64.
        promised_frames: Length by the file's own header, None where it does not say.
        defect: What could not be decoded so far, None if nothing.
    """

    rate: int
    channels: int
    codec: str
    sample_format: str
    promised_frames: int | None
    defect: Defect | None

    def blocks(self, start: int, frames: int | None) -> Iterator[Samples]:
        """Yield float32 blocks (n, channels) from frame `start` on, all there is by default."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...
