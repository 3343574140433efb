"""Files that are broken, cut off or no audio: each has a reason, and nothing is made up."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signals import RATE, tone

from asrdq.audio import AudioError, AudioReason, Clip, decode, probe_clip


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


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
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


@pytest.mark.parametrize("container", ["WAV", "CAF"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_numbers_are_damage(
    tmp_path: Path, container: str, value: float
) -> None:
    path = tmp_path / "broken"
    samples = tone(3.0)
    samples[2 * RATE] = value
    soundfile.write(path, samples, RATE, format=container, subtype="FLOAT")
    assert reason_of(path) is AudioReason.DAMAGED
    assert decode(path, duration_s=1.0).duration_s == 1.0
    facts = probe_clip(Clip(str(path)))
    assert facts["status"] == "damaged_audio"
    assert facts["detail"] == "some samples are not numbers, or too large to be sound"
    assert 0 < facts["duration_s"] <= 2.0
    assert facts["level_dbfs"] == pytest.approx(-9.0, abs=0.1)
    assert abs(facts["dc_offset"]) < 0.01


def test_floats_scaled_as_integers_are_sound(tmp_path: Path) -> None:
    path = tmp_path / "scaled.wav"
    soundfile.write(path, 32_768 * tone(1.0), RATE, subtype="FLOAT")
    assert decode(path).samples.max() == pytest.approx(16_384, rel=0.01)
    assert probe_clip(Clip(str(path)))["status"] == "ok"


def test_an_error_travels_between_processes() -> None:
    error = AudioError(AudioReason.EMPTY, "nothing there", where="a.wav")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.reason, copy.detail, copy.where) == (AudioReason.EMPTY, "nothing there", "a.wav")
