"""The sample clips and what is said about them agree."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
import soundfile

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def manifest(data_samples: Path) -> list[dict[str, str | float]]:
    lines = (data_samples / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def truth(data_samples: Path) -> dict[str, str]:
    with (data_samples / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["utt_id"]: row["fault"] for row in csv.DictReader(file)}


def test_three_domains_and_twelve_speakers(manifest: list[dict[str, str | float]]) -> None:
    assert Counter(line["domain"] for line in manifest) == {
        "voicemail": 27,
        "meeting": 27,
        "street": 26,
    }
    assert len({line["speaker"] for line in manifest}) == 12


def test_every_line_tells_the_duration_of_its_audio(
    manifest: list[dict[str, str | float]], data_samples: Path
) -> None:
    for line in manifest:
        info = soundfile.info(data_samples / str(line["audio_filepath"]))
        assert (info.samplerate, info.channels, info.format) == (16_000, 1, "FLAC")
        assert info.frames / info.samplerate == pytest.approx(line["duration"], abs=0.001)


def test_the_truth_names_eight_faults_of_six_kinds(
    manifest: list[dict[str, str | float]], truth: dict[str, str]
) -> None:
    assert list(truth) == [line["utt_id"] for line in manifest]
    assert Counter(filter(None, truth.values())) == {
        "swapped_text": 2,
        "substituted_words": 2,
        "extra_words": 1,
        "missing_words": 1,
        "half_audio": 1,
        "silence": 1,
    }


def test_untouched_lines_say_their_sentence(
    manifest: list[dict[str, str | float]], truth: dict[str, str], project_root: Path
) -> None:
    written = (project_root / "tools" / "sample_sentences.txt").read_text(encoding="utf-8")
    sentences = set(written.splitlines())
    in_text = ("swapped_text", "substituted_words", "extra_words", "missing_words")
    for line in manifest:
        changed = truth[str(line["utt_id"])] in in_text
        own = line["text"] in sentences
        assert own is not changed or truth[str(line["utt_id"])] == "swapped_text"


def test_the_clips_stay_small(data_samples: Path) -> None:
    size = sum(file.stat().st_size for file in data_samples.rglob("*") if file.is_file())
    assert size < 8 * MEGABYTE
