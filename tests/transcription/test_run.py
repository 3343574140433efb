"""Clips become a set: in batches, from the cache, and never with an empty text for a failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import DataError, ToolError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.transcription import TranscriberOptions, TranscriptionPlan, transcribe
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow


def plan(transcriber: str, name: str = "r1", **options: Any) -> TranscriptionPlan:
    return TranscriptionPlan(TranscriberOptions(transcriber), name, **options)


def test_batches_rate_segments_and_languages(
    workspace: Workspace, tones: Any, texts: Any, trial_transcribers: Path, tmp_path: Path
) -> None:
    tones(1, 2, 3, 4)
    rows = [json.loads(line) for line in (tmp_path / "eval.jsonl").read_text().splitlines()]
    part = {**rows[3], "utt_id": "part", "offset": 1.5, "duration": 0.5, "lang": "he"}
    (tmp_path / "eval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, part]))
    manifest = ingest_manifest(workspace, [tmp_path / "eval.jsonl"], "eval").manifest
    result = transcribe(workspace, manifest, plan("counting"), workers=1)
    assert texts("r1") == {
        "part": "4000 he",
        "t1": "8000 en",
        "t2": "16000 en",
        "t3": "24000 en",
        "t4": "32000 en",
    }
    asked = [len(line.split()) for line in trial_transcribers.read_text().splitlines()]
    assert asked == [3, 2]
    assert (result.clips, result.transcribed, result.cached, result.audio_s) == (5, 5, 0, 10.5)
    row = workspace.read("hypotheses", where="utt_id = 't1'").to_pylist()[0]
    assert row == {
        **{"hyps": "r1", "manifest": "eval", "utt_id": "t1", "hypothesis": "8000 en"},
        **{"confidence": 0.5, "transcriber": "counting", "transcriber_version": "1"},
        "run_id": result.run_id,
    }
    words = workspace.read("hypothesis_words", where="utt_id = 't1'").to_pylist()
    assert [(w["index"], w["word"], w["start_s"], w["end_s"], w["confidence"]) for w in words] == [
        (0, "8000", 0.0, 0.5, 0.75),
        (1, "en", 0.5, 1.0, None),
    ]


def test_what_is_known_is_not_asked_again(
    workspace: Workspace, tones: Any, texts: Any, trial_transcribers: Path
) -> None:
    transcribe(workspace, tones(1, 2), plan("counting"), workers=1)
    first = trial_transcribers.read_text()
    manifest = tones(1, 2, 5)
    result = transcribe(workspace, manifest, plan("counting"), workers=1)
    assert trial_transcribers.read_text() == first + "40000\n"
    assert (result.cached, result.transcribed) == (2, 3)
    assert set(texts("r1")) == {"t1", "t2", "t5"}
    transcribe(workspace, manifest, plan("counting", "r2"), workers=1)
    assert trial_transcribers.read_text() == first + "40000\n"
    assert texts("r2") == texts("r1")
    assert {
        row["run_id"] for row in workspace.read("hypotheses", where="hyps = 'r1'").to_pylist()
    } == {result.run_id}


def test_a_clip_that_cannot_be_transcribed_has_a_reason_and_no_hypothesis(
    workspace: Workspace,
    tones: Any,
    texts: Any,
    failures: Any,
    trial_transcribers: Path,
    tmp_path: Path,
) -> None:
    manifest = tones(1, 2, 3, 4, 6, 7, 12)
    (tmp_path / "t6.wav").unlink()
    (tmp_path / "t7.wav").write_bytes(b"RIFF no audio")
    result = transcribe(workspace, manifest, plan("crashing"), workers=1)
    assert texts("r1") == {"t1": "8000 en", "t4": ""}
    expected = {
        "t2": "transcriber_crashed",
        "t3": "transcriber_failed",
        "t6": "missing_audio",
        "t7": "unreadable_audio",
        "t12": "too_long",
    }
    assert failures("r1") == expected
    assert dict(
        zip(*(result.failures[c].to_pylist() for c in ("utt_id", "reason")), strict=True)
    ) == (expected)
    details = dict(
        zip(*(result.failures[c].to_pylist() for c in ("utt_id", "detail")), strict=True)
    )
    assert "SIGSEGV" in details["t2"]
    assert "a clip it does not like" in details["t3"]
    assert details["t12"] == "12.0 s, over 10 s"


@pytest.mark.slow
def test_what_may_go_otherwise_is_tried_again(
    workspace: Workspace, tones: Any, failures: Any, trial_transcribers: Path, tmp_path: Path
) -> None:
    manifest = tones(1, 3, 6, 12)
    moved = (tmp_path / "t6.wav").rename(tmp_path / "elsewhere.wav")
    transcribe(workspace, manifest, plan("crashing"), workers=1)
    assert set(failures("r1")) == {"t3", "t6", "t12"}
    moved.rename(tmp_path / "t6.wav")
    before = trial_transcribers.read_text()
    result = transcribe(workspace, manifest, plan("crashing"), workers=1)
    assert set(failures("r1")) == {"t3", "t12"}
    assert result.cached == 2  # t1, and that t12 is too long
    again = trial_transcribers.read_text().removeprefix(before).split()
    assert set(again) == {"24000", "48000"}


@pytest.mark.slow
def test_the_sample_alone(
    workspace: Workspace, tones: Any, texts: Any, trial_transcribers: Path
) -> None:
    from asrdq.sampling import SamplingPlan, draw_sample

    manifest = tones(1, 2, 3, 4, 5)
    drawn = draw_sample(workspace, manifest, SamplingPlan(rows=2)).clips["utt_id"].to_pylist()
    result = transcribe(workspace, manifest, plan("counting", sample=True), workers=1)
    assert sorted(texts("r1")) == sorted(drawn)
    assert (result.clips, len(drawn)) == (2, 2)


@pytest.mark.slow
def test_a_set_of_that_name_makes_room(
    workspace: Workspace, tones: Any, texts: Any, trial_transcribers: Path, tmp_path: Path
) -> None:
    from asrdq.hypotheses import load_hypotheses

    manifest = tones(1, 3)
    for name in ("r1", "r2"):
        (tmp_path / f"{name}.trn").write_text("old (t1)\nold (t3)\n")
        load_hypotheses(workspace, manifest, tmp_path / f"{name}.trn", name=name)
    transcribe(workspace, manifest, plan("crashing"), workers=1)
    assert texts("r1") == {"t1": "8000 en"}
    assert texts("r2") == {"t1": "old", "t3": "old"}


@pytest.mark.slow
def test_not_one_clip_can_be_read(
    workspace: Workspace, tones: Any, trial_transcribers: Path, tmp_path: Path
) -> None:
    manifest = tones(1, 2)
    for file in tmp_path.glob("t*.wav"):
        file.unlink()
    with pytest.raises(DataError, match="not one of 2 clips of eval@0 could be read"):
        transcribe(workspace, manifest, plan("counting"), workers=1)


def test_a_language_it_does_not_know(
    workspace: Workspace, tones: Any, trial_transcribers: Path
) -> None:
    with pytest.raises(UsageError, match="does not know the language de"):
        transcribe(workspace, tones(1, lang="de"), plan("counting"))
    assert not workspace.table_exists("hypotheses")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("countin", UsageError, "did you mean 'counting'"),
        ("unbuildable", ToolError, "cannot be built: KeyError"),
        ("nothing", ToolError, "is not a transcriber"),
        (
            "unloadable",
            ToolError,
            "a worker could not start: .*the model of 'unloadable' is missing",
        ),
    ],
)
def test_transcribers_that_cannot_run(
    workspace: Workspace,
    tones: Any,
    trial_transcribers: Path,
    name: str,
    kind: type[Exception],
    said: str,
) -> None:
    with pytest.raises(kind, match=said):
        transcribe(workspace, tones(1), plan(name), workers=1)


def test_a_bad_name_is_refused_before_any_work(
    workspace: Workspace, tones: Any, trial_transcribers: Path
) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a set"):
        transcribe(workspace, tones(1), plan("counting", "r 1"))
    assert trial_transcribers.read_text() == ""
