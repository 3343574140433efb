"""Manifests for NeMo: what cannot be used is counted, and Canary is told what it asks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asrdq.errors import DataError
from asrdq.training.nemo.material import Material, prepare


def clip(folder: Path, name: str, *, rate: int = 8000, channels: int = 1) -> dict[str, Any]:
    """A second of noise, and its row."""
    path = folder / name
    signal = np.random.default_rng(0).normal(size=(rate, channels)) * 0.1
    soundfile.write(path, signal.squeeze(), rate)
    return {"audio_filepath": str(path), "duration": 1.0, "text": "one two"}


def prepared(folder: Path, rows: list[dict[str, Any]], **how: Any) -> Material:
    manifest = folder / "train.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return prepare(manifest, folder / "out.jsonl", **{**HOW, **how})


HOW: dict[str, Any] = {"keep_empty_text": False, "prompts": False}


def rows_of(material: Material) -> list[dict[str, Any]]:
    return [json.loads(line) for line in material.path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow  # Lhotse is asked whether it can read what libsndfile cannot
def test_what_cannot_be_used_is_left_out_and_counted(tmp_path: Path) -> None:
    good = clip(tmp_path, "good.wav")
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF, but no more")
    material = prepared(
        tmp_path,
        [
            good,
            {**good, "duration": None},
            {**good, "text": " \t"},
            {**good, "text": None},
            {**good, "audio_filepath": str(broken)},
            {**good, "audio_filepath": str(tmp_path / "gone.wav")},
        ],
    )
    assert material.rows == 1
    assert material.durations == (1.0,)
    assert dict(material.dropped) == {"no_duration": 1, "empty_text": 2, "unreadable": 2}
    assert rows_of(material) == [{**good, "sampling_rate": 8000}]


def test_silence_stays_where_it_is_trained_on(tmp_path: Path) -> None:
    row = {**clip(tmp_path, "a.wav"), "text": None}
    material = prepared(tmp_path, [row], keep_empty_text=True)
    assert rows_of(material)[0]["text"] == ""


@pytest.mark.parametrize("change", [{"duration": 0.9}, {"offset": 0.5, "duration": 0.5}])
def test_lhotse_opens_the_file_itself_where_the_row_is_not_all_of_it(
    change: dict[str, float], tmp_path: Path
) -> None:
    """It takes the rate for that of a file as long as the row says."""
    row = {**clip(tmp_path, "a.wav"), "sampling_rate": 16000, **change}
    assert "sampling_rate" not in rows_of(prepared(tmp_path, [row]))[0]


def test_a_manifest_of_nothing_is_refused(tmp_path: Path) -> None:
    row = {**clip(tmp_path, "a.wav"), "text": ""}
    with pytest.raises(DataError, match="nothing can be trained on: empty_text 1"):
        prepared(tmp_path, [row])
    assert not list(tmp_path.glob("out*"))


def test_canary_is_told_language_task_and_punctuation(tmp_path: Path) -> None:
    row = clip(tmp_path, "a.wav")
    material = prepared(
        tmp_path,
        [
            {**row, "lang": "en"},
            {**row, "language": "de"},
            {**row, "lang": "en", "target_lang": "fr", "taskname": "ast", "pnc": "yes"},
        ],
        prompts=True,
    )
    names = ("source_lang", "target_lang", "task", "pnc")
    assert [tuple(each[name] for name in names) for each in rows_of(material)] == [
        ("en", "en", "asr", "no"),
        ("de", "de", "asr", "no"),
        ("en", "fr", "ast", "yes"),
    ]
    assert material.languages == {"en", "de", "fr"}


def test_most_texts_decide_about_punctuation(tmp_path: Path) -> None:
    row = {**clip(tmp_path, "a.wav"), "lang": "en"}
    texts = ["One, two.", "Three?", "four"]
    material = prepared(tmp_path, [{**row, "text": text} for text in texts], prompts=True)
    assert {each["pnc"] for each in rows_of(material)} == {"yes"}


def test_a_row_without_a_language_is_named(tmp_path: Path) -> None:
    row = clip(tmp_path, "a.wav")
    with pytest.raises(DataError, match=r"train\.jsonl:2: no language"):
        prepared(tmp_path, [{**row, "lang": "en"}, row], prompts=True)
