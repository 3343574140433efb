"""Where there is voice: the detector that PocketSphinx brings (WebRTC's)."""

from __future__ import annotations

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from asrdq.audio.decoding import MODEL_RATE
from asrdq.audio.readers import Samples

FRAME_S = 0.03
"""Seconds a decision covers."""

FRAME_SAMPLES = round(FRAME_S * MODEL_RATE)

STRICTNESS = pocketsphinx.Vad.MEDIUM_STRICT
"""Second strictest of four: breath and room tone are silence, soft consonants are voice."""


class VoiceDetector:
    """Decides frame by frame over samples that come in blocks."""

    def __init__(self) -> None:
        self._vad = pocketsphinx.Vad(STRICTNESS, MODEL_RATE, FRAME_S)
        self._rest = np.empty(0, dtype=np.int16)

    def add(self, samples: Samples) -> NDArray[np.bool_]:
        """Return one decision for each frame that is complete with these 16 kHz samples."""
        scaled = np.clip(samples * 32768.0, -32768, 32767).astype(np.int16)
        data = np.concatenate([self._rest, scaled])
        frames = len(data) // FRAME_SAMPLES
        self._rest = data[frames * FRAME_SAMPLES :]
        decisions = [
            self._vad.is_speech(frame.tobytes())
            for frame in data[: frames * FRAME_SAMPLES].reshape(frames, FRAME_SAMPLES)
        ]
        return np.array(decisions, dtype=np.bool_)


def voice_activity(samples: Samples) -> NDArray[np.bool_]:
    """Return for each 30 ms of 16 kHz mono samples whether it holds voice.

    The last frame, if it is not complete, gets no decision; fewer than 480 samples give an
    empty array. Digital silence is never voice.
    """
    return VoiceDetector().add(samples)
