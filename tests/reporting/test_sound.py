from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asrdq.audit.coverage import SPAN_MARGIN_S
from asrdq.reporting.sound import (
    LONGEST_S,
    Sound,
    clip_sound,
    encode_mp3,
    outline,
    voice_stretches,
    window_start,
)
from asrdq.reporting.words import BAD, Word

RATE = 16_000


def word(start_s: float, end_s: float, mark: str = "") -> Word:
    return Word("word", start_s, end_s, -1.0, True, mark)


def test_the_outline_has_the_extremes_of_each_slice() -> None:
    samples = np.array([0.1, 0.4, -0.2, -0.8], dtype=np.float32)
    # Slices (0.1, 0.4) and (-0.2, -0.8), the loudest sample at the edge of the box, y downwards.
    assert outline(samples, 2) == "M0,-0.50L1,0.25L1,1.00L0,-0.12Z"


def test_silence_is_a_line() -> None:
    assert set(re.findall(r",(-?[\d.]+)", outline(np.zeros(100, dtype=np.float32), 10))) <= {
        "0.00",
        "-0.00",
    }


def test_the_copy_is_as_long_as_the_original_and_small() -> None:
    samples = (0.2 * np.sin(np.arange(3 * RATE) * 0.05)).astype(np.float32)
    data = encode_mp3(samples)
    heard, rate = soundfile.read(io.BytesIO(data))
    assert rate == RATE
    assert len(heard) / rate == pytest.approx(3.0, abs=0.2)
    assert len(data) < 3 * 6_000


@pytest.mark.parametrize(
    ("clip_s", "bad", "start"),
    [
        (20.0, [15.0], 0.0),
        (100.0, [], 0.0),
        (100.0, [50.0], 45.0),
        (100.0, [98.0], 70.0),
        (100.0, [10.0, 60.0, 62.0], 55.0),
    ],
)
def test_a_long_clip_is_cut_around_its_worst_words(
    clip_s: float, bad: list[float], start: float
) -> None:
    words = [word(at, at + 0.3, BAD) for at in bad] + [word(20.0, 20.4)]
    assert window_start(clip_s, words) == pytest.approx(start)


def test_a_clip_of_a_minute_shows_thirty_seconds(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, 0.1 * np.sin(np.arange(60 * 8000) * 0.1), 8000)
    sound = clip_sound(str(path), 0.0, None, [word(40.0, 40.5, BAD)])
    assert isinstance(sound, Sound)
    assert sound.cut
    assert (sound.start_s, sound.length_s, sound.clip_s) == (30.0, LONGEST_S, 60.0)
    assert sound.data_uri.startswith("data:audio/mpeg;base64,")


def test_a_segment_of_a_file_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "session.wav"
    soundfile.write(path, np.zeros(10 * RATE), RATE)
    sound = clip_sound(str(path), 2.0, 3.0, [])
    assert isinstance(sound, Sound)
    assert sound.clip_s == pytest.approx(3.0)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert str(clip_sound(str(tmp_path / "none.wav"), 0.0, None, [])).startswith("missing audio: ")


def test_a_file_without_a_sample_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros(0), RATE)
    assert str(clip_sound(str(path), 0.0, None, [])).startswith("empty audio: ")


def test_speech_outside_words_is_told_from_speech_inside(data_samples: Path) -> None:
    samples, _ = soundfile.read(data_samples / "audio" / "meeting-01.flac", dtype="float32")
    cut_s = 2.7
    stretches = voice_stretches(samples, [word(0.0, cut_s)], 0.0)
    inside = [part for part in stretches if part.covered]
    outside = [part for part in stretches if not part.covered]
    assert inside
    assert outside
    border = cut_s + SPAN_MARGIN_S
    assert all(part.end_s <= border + 0.03 for part in inside)
    assert all(part.start_s >= border - 0.03 for part in outside)


def test_silence_has_no_stretch_of_voice() -> None:
    assert voice_stretches(np.zeros(RATE, dtype=np.float32), [], 0.0) == ()
