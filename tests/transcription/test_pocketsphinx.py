"""PocketSphinx really decodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asrdq.audio import decode
from asrdq.errors import UsageError
from asrdq.transcription import TranscriberOptions, build_transcriber

pytestmark = pytest.mark.slow

STATED = "go forward ten meters"
"""What PocketSphinx's own tests expect of this recording."""


@pytest.fixture(scope="module")
def recogniser() -> Any:
    built = build_transcriber(TranscriberOptions("pocketsphinx"))
    built.load()
    return built


@pytest.fixture(scope="module")
def go_forward(shared_data: Path) -> Any:
    raw = (shared_data / "pocketsphinx" / "goforward.raw").read_bytes()
    return np.frombuffer(raw, "<i2").astype(np.float32) / 32768


def test_a_recording_of_its_own_tests(recogniser: Any, go_forward: Any) -> None:
    [found] = recogniser.transcribe([go_forward], ["en"])
    assert (found.status, found.text) == ("transcribed", STATED)
    assert [word.word for word in found.words] == STATED.split()
    assert 0.0 < found.confidence <= 1.0
    assert found.confidence == pytest.approx(np.mean([word.confidence for word in found.words]))
    ends = [time for word in found.words for time in (word.start_s, word.end_s)]
    assert ends == sorted(ends) and ends[-1] <= len(go_forward) / 16_000


def test_an_answer_depends_on_the_clip_alone(
    recogniser: Any, go_forward: Any, librispeech: Path
) -> None:
    other = decode(next((librispeech.parent / "audio").glob("*.flac")), duration_s=2.0).samples
    before = recogniser.transcribe([go_forward], ["en"])
    recogniser.transcribe([other * 3], ["en"])
    assert recogniser.transcribe([go_forward], ["en"]) == before


def test_a_clip_that_is_too_short(recogniser: Any) -> None:
    [found] = recogniser.transcribe([np.zeros(800, np.float32)], ["en"])
    assert (found.status, found.text) == ("no_result", "")


def test_it_has_one_model() -> None:
    for options in ({"model": "small"}, {"address": "http://127.0.0.1"}):
        with pytest.raises(UsageError, match="one model and no address"):
            build_transcriber(TranscriberOptions("pocketsphinx", **options))


@pytest.mark.slow
def test_through_the_command(
    run_cli: Any, go_forward: Any, tmp_path: Path, librispeech: Path
) -> None:
    soundfile.write(tmp_path / "go.wav", go_forward, 16_000)
    (tmp_path / "m.csv").write_text("id,audio,text\ngo,go.wav,x\ngone,gone.wav,x\n")
    run_cli("init")
    run_cli("ingest", "m.csv", "--name", "eval")
    done = run_cli("transcribe", "eval", "--with", "pocketsphinx", "--workers", 1, code=4)
    assert "pocketsphinx: 1 of 2 clips of eval@0 transcribed by pocketsphinx" in done.stdout
    assert "1 × missing_audio" in done.stdout
    assert "asrdq score eval --hyps pocketsphinx" in done.stderr
    sql = "SELECT hypothesis FROM hypotheses"
    assert run_cli("sql", sql, "--format", "csv").stdout.splitlines()[1].strip('"') == STATED
    (tmp_path / "go.wav").rename(tmp_path / "gone.wav")
    assert "1 of 2 clips" in run_cli("transcribe", "eval", "--workers", 1, code=4).stdout
