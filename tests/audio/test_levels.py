"""Level, peak, clipping and DC offset against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asrdq.audio.levels import FULL_SCALE_16_BIT, LevelMeter, full_scale


def measured(samples: NDArray[np.float64], limit: float = FULL_SCALE_16_BIT) -> LevelMeter:
    block = samples.astype(np.float32).reshape(len(samples), -1)
    meter = LevelMeter(block.shape[1], limit)
    meter.add(block)
    return meter


def test_a_square_wave_at_half_scale_has_minus_six_decibels() -> None:
    meter = measured(np.tile([0.5, -0.5], 100))
    assert meter.level_dbfs == pytest.approx(-6.0206, abs=1e-4)
    assert meter.peak_dbfs == pytest.approx(-6.0206, abs=1e-4)
    assert meter.dc_offset == 0.0
    assert meter.clipping_share == 0.0


def test_a_full_scale_sine_has_minus_three_decibels() -> None:
    meter = measured(np.sin(2 * np.pi * np.arange(1600) / 16))
    assert meter.level_dbfs == pytest.approx(-3.0103, abs=1e-4)
    assert meter.peak_dbfs == pytest.approx(0.0, abs=1e-6)


def test_the_offset_is_that_of_the_worst_channel() -> None:
    meter = measured(np.column_stack([np.full(100, 0.1), np.full(100, -0.3)]))
    assert meter.dc_offset == pytest.approx(-0.3)


def test_silence_has_no_level_and_no_samples_have_nothing() -> None:
    silent = measured(np.zeros(10))
    assert (silent.level_dbfs, silent.peak_dbfs, silent.clipping_share) == (None, None, 0.0)
    empty = LevelMeter(1, 1.0)
    assert (empty.level_dbfs, empty.peak_dbfs, empty.dc_offset) == (None, None, None)
    assert empty.clipping_share is None


@pytest.mark.parametrize(
    ("samples", "clipped"),
    [
        ([0, 1, 1, 0, 1, 1, 0, 0, 0, 0], 0),  # one or two peaks are not clipping
        ([0, 1, 1, 1, 0, 0, 0, 0, 0, 0], 3),
        ([1, 1, 1, 1, 0, -1, -1, -1, 0, 0], 7),
        ([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], 4),
        ([1] * 10, 10),
    ],
)
def test_clipping_counts_runs_of_three(samples: list[int], clipped: int) -> None:
    assert measured(np.array(samples, dtype=float)).clipping_share == clipped / 10


def test_each_channel_clips_for_itself() -> None:
    left, right = np.zeros(10), np.zeros(10)
    left[2:5] = 1.0
    right[4:6] = 1.0
    assert measured(np.column_stack([left, right])).clipping_share == 3 / 20


def by_definition(samples: NDArray[np.float64]) -> float:
    """Count run by run, in plain Python."""
    total = run = 0
    for value in [*samples, 0.0]:
        if abs(value) >= 1.0:
            run += 1
            continue
        total += run if run >= 3 else 0
        run = 0
    return total / len(samples)


@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.0, -1.0]), min_size=1, max_size=60),
    st.lists(st.integers(1, 59), max_size=5),
)
def test_blocks_do_not_matter(values: list[float], cuts: list[int]) -> None:
    samples = np.array(values)
    meter = LevelMeter(1, 1.0)
    for piece in np.split(samples, sorted(cut for cut in cuts if cut < len(samples))):
        if len(piece):
            meter.add(piece.astype(np.float32)[:, None])
    assert meter.clipping_share == pytest.approx(by_definition(samples))
    assert meter.dc_offset == pytest.approx(samples.mean(), abs=1e-6)


def test_full_scale_is_the_largest_value_of_the_coding() -> None:
    assert full_scale("pcm", "s16") == 32767 / 32768
    assert full_scale("pcm", "u8") == 127 / 128
    assert full_scale("alaw", "s16") == 32256 / 32768
    assert full_scale("ulaw", "s16") == 32124 / 32768
