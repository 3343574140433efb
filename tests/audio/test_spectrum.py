"""Bandwidth and noise, on real clips whose truth was made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from asrdq.audio.spectrum import (
    MOST_FRAMES,
    Power,
    Spectrogram,
    effective_bandwidth_hz,
    estimate_snr_db,
)

RATE = 16_000
Signal = NDArray[np.float64]


def power_of(samples: Signal, rate: int = RATE, block: int = 10_000) -> Power:
    spectrogram = Spectrogram(rate)
    for start in range(0, len(samples), block):
        spectrogram.add(samples[start : start + block].astype(np.float32))
    return spectrogram.power()


def bandwidth_of(samples: Signal, rate: int = RATE) -> float | None:
    return effective_bandwidth_hz(power_of(samples, rate), Spectrogram(rate).bin_hz)


def as_16_bit(samples: Signal) -> Signal:
    return np.round(np.clip(samples, -1, 1 - 2**-15) * 32768) / 32768


@pytest.fixture(scope="module")
def clips(librispeech: Path) -> list[Signal]:
    paths = sorted((librispeech.parent / "audio").glob("*.flac"))
    return [soundfile.read(path)[0] for path in paths]


@pytest.fixture(scope="module")
def clean_clips(clips: list[Signal]) -> list[Signal]:
    """Clips whose quietest tenth of 30 ms frames lies 40 dB or more under their mean power."""

    def dynamics_db(clip: Signal) -> float:
        frames = (clip[: len(clip) // 480 * 480].reshape(-1, 480) ** 2).mean(axis=1)
        return float(10 * np.log10((clip**2).mean() / np.quantile(frames, 0.1)))

    found = [clip for clip in clips if dynamics_db(clip) >= 40]
    assert len(found) >= 20
    return found


def test_untouched_recordings_fill_their_bandwidth(clips: list[Signal]) -> None:
    assert {bandwidth_of(clip) for clip in clips} == {8000.0}


@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_an_8_khz_recording_stored_at_16_khz_is_found(clips: list[Signal], gain: float) -> None:
    for clip in clips[::2]:
        narrow = as_16_bit(soxr.resample(as_16_bit(gain * clip), RATE, 8000))
        found = bandwidth_of(as_16_bit(soxr.resample(narrow, 8000, RATE)))
        assert found is not None
        assert 3600 <= found <= 4000


def test_other_rates_have_their_edge_too(clips: list[Signal]) -> None:
    for clip in clips[::10]:
        wide = soxr.resample(clip, RATE, 44_100)
        found = bandwidth_of(as_16_bit(wide), 44_100)
        assert found is not None
        assert 7000 <= found <= 8000


def test_one_click_does_not_hide_a_narrow_band(clips: list[Signal]) -> None:
    narrow = soxr.resample(soxr.resample(clips[0], RATE, 8000), 8000, RATE)
    narrow[5000] = 1.0
    found = bandwidth_of(as_16_bit(narrow))
    assert found is not None and found <= 4000


@pytest.mark.parametrize("snr_db", [0, 5, 10, 15, 20, 25, 30])
def test_the_snr_of_known_mixes_is_met_within_3_db(
    clean_clips: list[Signal], snr_db: float
) -> None:
    chance = np.random.default_rng(42)
    errors = []
    for clip in clean_clips:
        noise = chance.standard_normal(len(clip)) * np.sqrt((clip**2).mean())
        found = estimate_snr_db(power_of(clip + noise * 10 ** (-snr_db / 20)))
        assert found is not None
        errors.append(found - snr_db)
    assert max(np.abs(errors)) < 3.0
    assert abs(np.median(errors)) < 1.5


def test_noise_alone_has_no_signal() -> None:
    noise = np.random.default_rng(1).standard_normal(5 * RATE) * 0.1
    found = estimate_snr_db(power_of(noise))
    assert found is not None and found < -5


def test_gain_does_not_change_the_snr(clips: list[Signal]) -> None:
    power = power_of(clips[3])
    quiet = estimate_snr_db(power * np.float32(1e-4))
    assert quiet == pytest.approx(estimate_snr_db(power), abs=0.1)


def test_silence_and_scraps_have_no_value() -> None:
    for samples in (np.zeros(RATE), np.ones(400), np.empty(0)):
        assert bandwidth_of(samples) is None
        assert estimate_snr_db(power_of(samples)) is None


def test_a_tone_stands_in_its_bin_with_its_power() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    power = power_of(tone)
    assert power.shape[0] == 257
    assert set(power.argmax(axis=0)) == {32}  # 1000 Hz ÷ 31.25 Hz


def test_blocks_do_not_matter(clips: list[Signal]) -> None:
    whole = power_of(clips[0], block=len(clips[0]))
    assert np.allclose(whole, power_of(clips[0], block=777), rtol=1e-4, atol=1e-9)


def test_long_audio_is_thinned_out_evenly() -> None:
    seconds = 300
    noise = np.random.default_rng(5).standard_normal(seconds * RATE)
    power = power_of(noise)
    assert MOST_FRAMES / 2 <= power.shape[1] <= MOST_FRAMES
    short = power_of(noise[: 10 * RATE])
    assert power.mean() == pytest.approx(short.mean(), rel=0.02)
