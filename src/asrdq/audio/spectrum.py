"""Short-time power spectra, and what they say about bandwidth and noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from asrdq.audio.readers import Samples

Power = NDArray[np.float32]

WINDOW_S = 0.032
MOST_FRAMES = 4096
"""Frames kept of a clip: 65 s at 16 kHz. Of longer clips every second, fourth … is kept."""

SILENT_POWER = 1e-12
"""Power a bin below which a frame is digital silence: far under the rounding of 16 bits."""


class Spectrogram:
    """Power spectra of Hann windows with half overlap, of samples that come in blocks."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._size = 1 << round(math.log2(rate * WINDOW_S))
        self._hop = self._size // 2
        window = np.hanning(self._size)
        self._window = (window / np.sqrt((window**2).sum())).astype(np.float32)
        self._rest = np.empty(0, dtype=np.float32)
        self._stride = 1
        self._seen = 0
        self._kept: list[Power] = []
        self._kept_frames = 0

    @property
    def bin_hz(self) -> float:
        """Distance of two frequency bins."""
        return self.rate / self._size

    def add(self, samples: Samples) -> None:
        """Take in mono samples (n,)."""
        data = np.concatenate([self._rest, samples])
        frames = max(0, (len(data) - self._size) // self._hop + 1)
        self._rest = data[frames * self._hop :]
        if not frames:
            return
        windows = np.lib.stride_tricks.sliding_window_view(data, self._size)[:: self._hop]
        first = -self._seen % self._stride
        self._seen += frames
        spectra = np.fft.rfft(windows[:frames][first :: self._stride] * self._window, axis=1)
        self._kept.append((spectra.real**2 + spectra.imag**2).astype(np.float32))
        self._kept_frames += len(spectra)
        if self._kept_frames > MOST_FRAMES:
            self._thin_out()

    def power(self) -> Power:
        """Return the power of each bin and frame (bins, frames), digital silence left out."""
        if not self._kept:
            return np.empty((self._size // 2 + 1, 0), dtype=np.float32)
        frames = np.concatenate(self._kept)
        sounding = frames[frames.mean(axis=1) > SILENT_POWER]
        return np.ascontiguousarray(sounding.T)

    def _thin_out(self) -> None:
        every_second = np.concatenate(self._kept)[::2]
        self._kept = [every_second]
        self._kept_frames = len(every_second)
        self._stride *= 2


FEWEST_FRAMES = 8

LOUD_QUANTILE = 0.95
EDGE_DROP_DB = 18.0
EDGE_BELOW_HZ = (400.0, 100.0)
EDGE_ABOVE_HZ = 150.0
LOWEST_EDGE_HZ = 1000.0


def effective_bandwidth_hz(power: Power, bin_hz: float) -> float | None:
    """Return the frequency above which a recording holds nothing, half its rate if there is none.

    Looks for a cliff in the spectrum of the loud frames (95th percentile of each bin): the
    highest frequency at which the level falls by 18 dB or more within 250 Hz and stays down, at
    the place where it falls most.
    A filter of a codec or of a resampler leaves such a cliff; speech, which falls off slowly,
    does not: of 120 LibriSpeech clips the steepest falls by 12 dB, and the same clips passed
    through 8 kHz by 44 dB or more (28 dB when recorded 20 dB lower).

    Args:
        power: Power of each bin and frame (bins, frames), from `Spectrogram.power`.
        bin_hz: Distance of two bins.

    Returns:
        Hz; None where fewer than 8 frames sound.
    """
    bins, frames = power.shape
    if frames < FEWEST_FRAMES:
        return None
    place = int(LOUD_QUANTILE * (frames - 1))
    loud = np.partition(power, place, axis=1)[:, place]
    level = 10.0 * np.log10(loud + 1e-14)
    smooth = np.convolve(np.pad(level, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    loudest_from = np.maximum.accumulate(smooth[::-1])[::-1]
    far, near = (max(1, round(hz / bin_hz)) for hz in EDGE_BELOW_HZ)
    above = max(1, round(EDGE_ABOVE_HZ / bin_hz))
    below = np.lib.stride_tricks.sliding_window_view(smooth, far - near + 1).min(axis=1)
    first = max(far, round(LOWEST_EDGE_HZ / bin_hz))
    places = np.arange(first, bins - above)
    drops = below[places - far] - loudest_from[places + above]
    cliffs = np.flatnonzero(drops >= EDGE_DROP_DB)
    if not len(cliffs):
        return float((bins - 1) * bin_hz)
    last = cliffs[np.searchsorted(cliffs, cliffs[-1] - far) :]
    return float(places[last[drops[last].argmax()]] * bin_hz)


NOISE_CUT = 1.5
"""Cells up to this multiple of the noise power are taken for noise."""

NOISE_START_QUANTILE = 0.1
LOWEST_SNR_DB, HIGHEST_SNR_DB = -10.0, 100.0


def estimate_snr_db(power: Power) -> float | None:
    """Return the signal-to-noise ratio of a clip of speech with steady noise, in dB.

    In each frequency bin the power of steady Gaussian noise is exponentially distributed over
    time, and speech, which is sparse in time and frequency, adds an upper tail. The noise power
    N is found from the cells below a cut c·N alone: their mean is N·(1 - c·e^-c / (1 - e^-c)),
    whatever the share of cells with speech. The smallest such N above a low quantile is taken
    (Stahl, Fischer and Bippus 2000 stop at a quantile, which counts much speech as noise). The
    ratio is (P - N)/N of the sums over all bins, P being the mean power: speech pauses count,
    and sounds that are not steady count as signal.

    Checked on clean LibriSpeech clips mixed with white noise at 0 to 30 dB: within 2 dB.

    Args:
        power: Power of each bin and frame (bins, frames), from `Spectrogram.power`.

    Returns:
        dB between -10 and 100; None where fewer than 8 frames sound.
    """
    if power.shape[1] < FEWEST_FRAMES:
        return None
    total = float(power[1:-1].mean(axis=1, dtype=np.float64).sum())
    noise = float(_noise_power(power[1:-1]).sum())
    if noise <= 0.0 or total <= noise:
        return HIGHEST_SNR_DB if noise <= 0.0 else LOWEST_SNR_DB
    snr_db = 10.0 * math.log10((total - noise) / noise)
    return min(HIGHEST_SNR_DB, max(LOWEST_SNR_DB, snr_db))


def _noise_power(power: Power) -> NDArray[np.float64]:
    """Return the noise power of each bin: the first N for which the cells below c·N say N."""
    share_below = 1.0 - math.exp(-NOISE_CUT)
    mean_below = 1.0 - NOISE_CUT * math.exp(-NOISE_CUT) / share_below
    cells = np.sort(power, axis=1)
    counts = np.arange(1, cells.shape[1] + 1)
    implied = np.cumsum(cells, axis=1, dtype=np.float64) / (counts * mean_below)
    settled = cells[:, 1:] > NOISE_CUT * implied[:, :-1]
    settled[:, : int(NOISE_START_QUANTILE * cells.shape[1])] = False
    settled = np.column_stack([settled, np.ones(len(cells), dtype=np.bool_)])
    noise: NDArray[np.float64] = np.take_along_axis(
        implied, settled.argmax(axis=1)[:, None], axis=1
    )[:, 0]
    return noise
