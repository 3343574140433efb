"""Level, peak, clipping and DC offset of samples that come in blocks."""

from __future__ import annotations

import math

import numpy as np

from asrdq.audio.readers import Samples

CLIPPED_RUN = 3
"""So many samples in a row at full scale are clipping; one or two may be honest peaks."""

FULL_SCALE = {"u8": 127 / 128, "s8": 127 / 128}
FULL_SCALE_BY_CODEC = {"alaw": 32256 / 32768, "ulaw": 32124 / 32768}
FULL_SCALE_16_BIT = 32767 / 32768


def full_scale(codec: str, sample_format: str) -> float:
    """Return the largest positive value that a coding can hold, at most that of 16 bits."""
    if codec in FULL_SCALE_BY_CODEC:
        return FULL_SCALE_BY_CODEC[codec]
    return FULL_SCALE.get(sample_format, FULL_SCALE_16_BIT)


def decibels(power: float) -> float | None:
    """Return 10·log10 of a power relative to full scale (1.0), None for digital silence."""
    return 10.0 * math.log10(power) if power > 0.0 else None


class LevelMeter:
    """Measures all channels of a clip, block by block.

    Clipping: a sample is clipped where it stands in a run of at least three at full scale or
    beyond, in one channel.
    """

    def __init__(self, channels: int, full_scale: float) -> None:
        self._full_scale = full_scale
        self._frames = 0
        self._energy = 0.0
        self._sums = np.zeros(channels)
        self._open_runs = [0] * channels
        self._clipped = 0
        self._peak = 0.0

    def add(self, block: Samples) -> None:
        """Take in a block of samples (n, channels)."""
        flat = block.ravel()
        self._frames += len(block)
        self._energy += float(np.dot(flat, flat))
        self._sums += block.sum(axis=0, dtype=np.float64)
        peak = max(float(block.max()), -float(block.min()))
        self._peak = max(self._peak, peak)
        for channel in range(block.shape[1]):
            if peak < self._full_scale:
                self._close_run(channel)
            else:
                self._count_runs(channel, np.abs(block[:, channel]) >= self._full_scale)

    @property
    def level_dbfs(self) -> float | None:
        """Root mean square over time and channels; 0 dBFS is a square wave at full scale."""
        samples = self._frames * len(self._sums)
        return decibels(self._energy / samples) if samples else None

    @property
    def peak_dbfs(self) -> float | None:
        """The largest absolute sample; above 0 where a lossy codec overshoots."""
        return decibels(self._peak**2)

    @property
    def dc_offset(self) -> float | None:
        """Mean of the channel whose mean is farthest from zero, 1 being full scale."""
        if not self._frames:
            return None
        means = self._sums / self._frames
        return float(means[np.argmax(np.abs(means))])

    @property
    def clipping_share(self) -> float | None:
        """Clipped samples ÷ samples, over all channels."""
        if not self._frames:
            return None
        still_open = sum(run for run in self._open_runs if run >= CLIPPED_RUN)
        return (self._clipped + still_open) / (self._frames * len(self._sums))

    def _close_run(self, channel: int) -> None:
        if self._open_runs[channel] >= CLIPPED_RUN:
            self._clipped += self._open_runs[channel]
        self._open_runs[channel] = 0

    def _count_runs(self, channel: int, at_full_scale: np.ndarray) -> None:
        """Count complete runs; the one that touches the end of the block stays open."""
        edges = np.flatnonzero(np.diff(at_full_scale, prepend=False, append=False))
        runs = (edges[1::2] - edges[::2]).tolist()
        if at_full_scale[0]:
            runs[0] += self._open_runs[channel]
            self._open_runs[channel] = 0
        else:
            self._close_run(channel)
        if at_full_scale[-1]:
            self._open_runs[channel] = runs.pop()
        self._clipped += sum(run for run in runs if run >= CLIPPED_RUN)
