"""Two faults seen in real projects, planted in real recordings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import soundfile

from asrdq.audio import probe_manifest
from asrdq.leakage import LeakPlan, find_duplicates, find_leaks
from asrdq.manifests import ingest_manifest

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

Row = dict[str, Any]


@pytest.fixture
def clips(librispeech: Path) -> list[Row]:
    """The rows of the manifest, with absolute paths."""
    rows = [json.loads(line) for line in librispeech.read_text(encoding="utf-8").splitlines()]
    return [
        {**row, "audio_filepath": str(librispeech.parent / row["audio_filepath"])} for row in rows
    ]


def ingest(workspace: Workspace, rows: list[Row], name: str, folder: Path) -> ManifestVersion:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ingest_manifest(workspace, [file], name)
    return workspace.manifest(name)


def test_validation_repeats_training_rows_byte_for_byte_under_other_paths(
    workspace: Workspace, clips: list[Row], tmp_path: Path
) -> None:
    train_rows, rest = clips[:90], clips[90:]
    repeated = []
    for number, clip in enumerate(train_rows[:12]):
        copy = tmp_path / "prepared" / f"val_{number:05d}.flac"
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(clip["audio_filepath"], copy)
        repeated.append({**clip, "audio_filepath": str(copy)})
    train = ingest(workspace, train_rows, "train", tmp_path)
    validation = ingest(workspace, [*repeated, *rest], "validation", tmp_path)
    result = find_leaks(workspace, train, validation)
    lines = {line["kind"]: line for line in result.findings.to_pylist()}
    assert lines["audio"]["rows"] == 12
    assert lines["audio"]["share"] == pytest.approx(12 / 42)
    assert lines["audio"]["hours"] == pytest.approx(
        sum(clip["duration"] for clip in train_rows[:12]) / 3600
    )
    assert lines["text"]["rows"] == 12
    assert set(result.too_much) == {"audio", "text"}
    ids = dict(
        zip(*workspace.scan(train, ["audio_path", "utt_id"]).to_pydict().values(), strict=True)
    )
    paths = dict(
        zip(
            *workspace.scan(validation, ["utt_id", "audio_path"]).to_pydict().values(),
            strict=True,
        )
    )
    audio = [line for line in result.leaks.to_pylist() if line["kind"] == "audio"]
    for line in audio:
        number = int(Path(paths[line["utt_id"]]).stem.removeprefix("val_"))
        assert line["other_utt_id"] == ids[train_rows[number]["audio_filepath"]]
    speakers = {clip["speaker"] for clip in train_rows}
    expected = [clip for clip in [*repeated, *rest] if clip["speaker"] in speakers]
    assert lines["speaker"]["rows"] == len(expected)


def test_the_same_samples_in_another_container_are_found_after_a_probe(
    workspace: Workspace, clips: list[Row], tmp_path: Path
) -> None:
    clip = clips[0]
    samples, rate = soundfile.read(clip["audio_filepath"], dtype="int16")
    soundfile.write(tmp_path / "again.wav", samples, rate)
    train = ingest(workspace, [clip], "train", tmp_path)
    again = {**clip, "audio_filepath": str(tmp_path / "again.wav")}
    dev = ingest(workspace, [again], "dev", tmp_path)
    plan = LeakPlan(only=["audio"])
    assert find_leaks(workspace, train, dev, plan).too_much == ()  # other bytes
    for manifest in (train, dev):
        probe_manifest(workspace, manifest, workers=1)
    assert find_leaks(workspace, train, dev, plan).too_much == ("audio",)


def test_one_recording_cut_into_overlapping_chunks_that_carry_the_full_text(
    workspace: Workspace, clips: list[Row], tmp_path: Path
) -> None:
    longest = max(clips, key=lambda clip: float(clip["duration"]))
    starts = [0.0, 2.5, 5.0, 7.5]  # of 5 s each: every chunk shares 2.5 s with the next
    chunks = [
        {**longest, "id": f"chunk-{number}", "offset": start, "duration": 5.0}
        for number, start in enumerate(starts)
    ]
    others = [clip for clip in clips if clip is not longest][:40]
    found = find_duplicates(workspace, ingest(workspace, [*others, *chunks], "all", tmp_path))
    lines = {line["kind"]: line["rows"] for line in found.findings.to_pylist()}
    assert lines == {"audio": 0, "overlap": 4, "transcript": 4, "text": 4, "near_text": 0}
    touched = {line["utt_id"] for line in found.duplicates.to_pylist()}
    assert touched == {chunk["id"] for chunk in chunks}

    # The same on both sides of a split: chunks 0 and 2 in training, 1 and 3 in validation.
    train = ingest(workspace, [*others, chunks[0], chunks[2]], "train", tmp_path)
    validation = ingest(workspace, [chunks[1], chunks[3]], "validation", tmp_path)
    leaks = find_leaks(workspace, train, validation)
    assert set(leaks.too_much) == {"overlap", "transcript", "text"}
    shares = {line["kind"]: line["share"] for line in leaks.findings.to_pylist()}
    assert [shares[kind] for kind in ("audio", "overlap", "transcript")] == [0.0, 1.0, 1.0]
    overlaps = [line for line in leaks.leaks.to_pylist() if line["kind"] == "overlap"]
    assert [line["detail"] for line in overlaps] == ["2.50 s", "2.50 s"]
    assert [line["others"] for line in overlaps] == [2, 1]
