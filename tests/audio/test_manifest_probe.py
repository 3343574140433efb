"""Facts of a whole manifest: joined, compared, cached."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import failing_probes
import numpy as np
import pyarrow as pa
import pytest
import soundfile

from asrdq.audio import manifest_probe
from asrdq.audio.facts import AUDIO_FACTS
from asrdq.audio.manifest_probe import probe_manifest
from asrdq.audio.probe_result import ProbeResult
from asrdq.errors import DataError
from asrdq.manifests import ingest_manifest
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

RATE = 16_000


def write_clip(path: Path, seconds: float, seed: int = 0, rate: int = RATE) -> Path:
    noise = np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate))
    soundfile.write(path, noise, rate)
    return path


def ingest(workspace: Workspace, folder: Path, rows: list[dict[str, Any]]) -> None:
    manifest = folder / "train.jsonl"
    lines = ({"text": "words", "duration": 1.0, **row} for row in rows)
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ingest_manifest(workspace, [manifest], "train")


def rows_by_file(workspace: Workspace) -> dict[str, dict[str, Any]]:
    rows = workspace.read("audio_facts", schema=AUDIO_FACTS).to_pylist()
    return {Path(row["audio_path"]).name: row for row in rows}


@pytest.fixture
def clips(tmp_path: Path, workspace: Workspace) -> Path:
    """A folder with six files, three of them bad, and their manifest."""
    folder = tmp_path / "clips"
    folder.mkdir()
    write_clip(folder / "a.wav", 1.0, seed=1)
    shutil.copy(folder / "a.wav", folder / "b.wav")
    soundfile.write(folder / "c.flac", soundfile.read(folder / "a.wav")[0], RATE)
    write_clip(folder / "d.wav", 3.0, seed=2)
    (folder / "e.wav").write_bytes(b"")
    (folder / "f.wav").write_bytes(b"no audio")
    names = ["a.wav", "b.wav", "c.flac", "d.wav", "e.wav", "f.wav", "absent.wav"]
    ingest(workspace, folder, [{"audio_filepath": name} for name in names])
    return folder


def test_every_row_has_facts_or_a_reason(workspace: Workspace, clips: Path) -> None:
    result = probe_manifest(workspace, workspace.manifest("train"), workers=2)
    rows = rows_by_file(workspace)
    assert {name: row["status"] for name, row in rows.items()} == {
        "a.wav": "ok",
        "b.wav": "ok",
        "c.flac": "ok",
        "d.wav": "ok",
        "e.wav": "empty_audio",
        "f.wav": "unreadable_audio",
        "absent.wav": "missing_audio",
    }
    assert rows["d.wav"]["duration_difference_s"] == 2.0
    assert {row["run_id"] for row in rows.values()} == {result.run_id}
    assert workspace.read("audio_facts").schema.names == AUDIO_FACTS.names


def test_equal_audio_points_to_the_first_of_its_kind(workspace: Workspace, clips: Path) -> None:
    probe_manifest(workspace, workspace.manifest("train"), workers=1)
    rows = rows_by_file(workspace)
    same = sorted(rows[name]["utt_id"] for name in ("a.wav", "b.wav", "c.flac"))
    found = {row["utt_id"]: row["duplicate_of"] for row in rows.values()}
    assert [found.pop(utt_id) for utt_id in same] == [None, same[0], same[0]]
    assert set(found.values()) == {None}


def test_the_overview_counts_what_stands_out(workspace: Workspace, clips: Path) -> None:
    result = probe_manifest(workspace, workspace.manifest("train"), workers=1)
    seen = json.loads(result.to_json())
    assert seen["schema_version"] == 1
    assert seen["statuses"] == {
        "ok": 4, "empty_audio": 1, "missing_audio": 1, "unreadable_audio": 1
    }  # fmt: skip
    assert seen["hours"] == pytest.approx(6 / 3600)
    assert seen["manifest_hours"] == pytest.approx(7 / 3600)
    assert (seen["durations_differ"], seen["duplicates"], seen["narrow_band"]) == (1, 2, 0)
    assert seen["codecs"] == {"pcm": 3, "flac": 1}
    assert "facts" not in seen
    text = result.summary()
    assert "7 clips, 4 ok, 1 empty_audio, 1 missing_audio, 1 unreadable_audio" in text
    assert "1.00 s stated, 3.00 s measured" in text
    assert not result.nothing_readable


def test_nothing_is_decoded_twice(workspace: Workspace, clips: Path) -> None:
    train = workspace.manifest("train")
    first = probe_manifest(workspace, train, workers=1)
    again = probe_manifest(workspace, train, workers=1)
    assert (first.decoded, again.decoded) == (7, 1)  # the missing one is looked for again
    assert again.facts.drop(["run_id"]) == first.facts.drop(["run_id"])
    assert rows_by_file(workspace)["a.wav"]["run_id"] == again.run_id


def test_a_changed_file_is_measured_again(workspace: Workspace, clips: Path) -> None:
    train = workspace.manifest("train")
    probe_manifest(workspace, train, workers=1)
    write_clip(clips / "d.wav", 2.0, seed=3)
    write_clip(clips / "absent.wav", 1.0, seed=4)
    os.utime(clips / "a.wav", ns=(1, 1))
    result = probe_manifest(workspace, train, workers=1)
    assert result.decoded == 3
    assert rows_by_file(workspace)["d.wav"]["duration_s"] == 2.0
    assert rows_by_file(workspace)["absent.wav"]["status"] == "ok"


def test_segments_of_one_file_are_clips_of_their_own(tmp_path: Path, workspace: Workspace) -> None:
    write_clip(tmp_path / "long.wav", 10.0)
    segments = [(0.0, 4.0), (4.0, 4.0), (8.0, 4.0), (12.0, 1.0)]
    ingest(
        workspace,
        tmp_path,
        [
            {"audio_filepath": "long.wav", "offset": offset_s, "duration": duration_s}
            for offset_s, duration_s in segments
        ],
    )
    result = probe_manifest(workspace, workspace.manifest("train"), workers=1)
    found = sorted((row["status"], row["duration_s"] or 0.0) for row in result.facts.to_pylist())
    assert found == [("ok", 2.0), ("ok", 4.0), ("ok", 4.0), ("segment_outside_audio", 0.0)]


def test_rows_of_the_same_segment_are_decoded_once(tmp_path: Path, workspace: Workspace) -> None:
    write_clip(tmp_path / "a.wav", 1.0)
    rows = [{"audio_filepath": "a.wav", "id": f"u{index}"} for index in range(3)]
    ingest(workspace, tmp_path, rows)
    train = workspace.manifest("train")
    result = probe_manifest(workspace, train, workers=1)
    assert result.facts.num_rows == train.rows
    assert result.decoded == 1


def test_progress_counts_every_clip_once(workspace: Workspace, clips: Path) -> None:
    told: list[tuple[int, float]] = []
    train = workspace.manifest("train")
    for _ in range(2):
        told.clear()
        probe_manifest(
            workspace,
            train,
            workers=1,
            on_clip=lambda clips, audio_s: told.append((clips, audio_s)),
        )
        assert sum(clips for clips, _ in told) == train.rows


def test_a_folder_without_its_audio_is_told_apart(tmp_path: Path, workspace: Workspace) -> None:
    ingest(workspace, tmp_path, [{"audio_filepath": f"{name}.wav"} for name in "abc"])
    result = probe_manifest(workspace, workspace.manifest("train"), workers=1)
    assert result.nothing_readable
    assert "none measured" in result.summary()


def test_the_run_says_what_was_done(workspace: Workspace, clips: Path) -> None:
    train = workspace.manifest("train")
    result = probe_manifest(workspace, train, workers=1)
    (row,) = workspace.query(
        "SELECT command, state, fingerprint FROM runs WHERE run_id = $id", {"id": result.run_id}
    ).to_pylist()
    assert row == {"command": "probe", "state": "done", "fingerprint": train.fingerprint}


def test_an_empty_manifest_is_an_error(workspace: Workspace, clips: Path) -> None:
    import dataclasses

    nothing = dataclasses.replace(workspace.manifest("train"), rows=0)
    with pytest.raises(DataError, match="has no row"):
        probe_manifest(workspace, nothing)


@pytest.mark.parametrize(
    ("probe", "status", "detail"),
    [
        (failing_probes.crash, "probe_crashed", "killed by SIGSEGV"),
        (failing_probes.hang, "probe_timed_out", "took more than 0.2 s"),
        (failing_probes.fail, "probe_raised", "ValueError: an unexpected shape"),
    ],
)
def test_a_decoder_that_fails_costs_its_clip_and_may_try_again(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    probe: Any, status: str, detail: str,
) -> None:  # fmt: skip
    write_clip(tmp_path / "a.wav", 1.0)
    ingest(workspace, tmp_path, [{"audio_filepath": "a.wav"}])
    train = workspace.manifest("train")
    with monkeypatch.context() as patch:
        patch.setattr(manifest_probe, "probe_clip", probe)
        patch.setattr(manifest_probe, "LONGEST_PROBE_S", 0.2)
        (row,) = probe_manifest(workspace, train, workers=1).facts.to_pylist()
    assert (row["status"], row["duration_s"]) == (status, None)
    assert detail in row["detail"]
    again = probe_manifest(workspace, train, workers=1)
    assert (again.decoded, again.facts["status"].to_pylist()) == (1, ["ok"])


def test_narrow_means_narrower_than_speech_models_hear() -> None:
    rates_and_bandwidths = [
        (16_000, 3_900.0, True),
        (16_000, 7_000.0, False),
        (44_100, 7_000.0, False),
        (44_100, 3_900.0, True),
        (8_000, 3_900.0, False),
        (8_000, 2_000.0, True),
    ]
    rows = [
        {"utt_id": str(index), "status": "ok", "duration_s": 1.0, "sample_rate": rate,
         "bandwidth_hz": bandwidth_hz}
        for index, (rate, bandwidth_hz, _) in enumerate(rates_and_bandwidths)
    ]  # fmt: skip
    facts = pa.Table.from_pylist(rows, schema=AUDIO_FACTS)
    result = ProbeResult("run", "train@0", "f", 1.0, 6, 6.0, facts)
    narrow = {row["utt_id"] for row in result.overview["narrowest"]}
    assert narrow == {str(i) for i, (*_, is_narrow) in enumerate(rates_and_bandwidths) if is_narrow}
