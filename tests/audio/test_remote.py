"""Audio on S3 gives the facts of the same audio on a disk, and a reason where it gives none."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from asrdq.audio import AudioError, Clip, decode, file_hashes, file_identity, probe_clip
from asrdq.audio import remote as remote_module
from asrdq.audio.manifest_probe import probe_manifest
from asrdq.audio.reasons import AudioReason
from asrdq.errors import UsageError
from asrdq.manifests import ingest_manifest
from asrdq.places import address
from asrdq.s3_errors import S3Error
from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

CLIPS = ("meeting-01.flac", "street-02.flac", "voicemail-03.flac")
DIFFERING = {"run_id", "audio_path", "mtime_ns"}


@pytest.fixture
def clips(bucket: str, s3_server: Any, data_samples: Path) -> list[str]:
    for name in CLIPS:
        s3_server.client.upload_file(str(data_samples / "audio" / name), bucket, f"audio/{name}")
    return [f"s3://{bucket}/audio/{name}" for name in CLIPS]


def ingest(workspace: Workspace, paths: list[str], folder: Path, name: str) -> ManifestVersion:
    rows = [{"audio_filepath": path, "text": "x", "id": Path(path).name} for path in paths]
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ingest_manifest(workspace, [file], name).manifest


def test_it_is_probed_as_on_a_disk(
    workspace: Workspace, clips: list[str], data_samples: Path, tmp_path: Path
) -> None:
    local = [str(data_samples / "audio" / name) for name in CLIPS]
    facts = [
        probe_manifest(workspace, ingest(workspace, paths, tmp_path, name), workers=1).facts
        for paths, name in ((local, "near"), (clips, "far"))
    ]
    rows = [
        [{k: v for k, v in row.items() if k not in DIFFERING} for row in each.to_pylist()]
        for each in facts
    ]
    key = [sorted(each, key=lambda row: str(row["audio_hash"])) for each in rows]
    for near, far in zip(*key, strict=True):
        assert far["status"] == "ok"
        assert {**far, "utt_id": near["utt_id"]} == near


def test_a_second_probe_takes_what_is_known_until_an_object_changes(
    workspace: Workspace, clips: list[str], bucket: str, s3_server: Any, tmp_path: Path
) -> None:
    manifest = ingest(workspace, clips, tmp_path, "train")
    assert probe_manifest(workspace, manifest, workers=1).decoded == 3
    assert probe_manifest(workspace, manifest, workers=1).decoded == 0
    other = s3_server.read(bucket, "audio/" + CLIPS[0])
    s3_server.client.put_object(Bucket=bucket, Key="audio/" + CLIPS[1], Body=other)
    again = probe_manifest(workspace, manifest, workers=1)
    assert again.decoded == 1
    assert [row["duplicate_of"] is not None for row in again.facts.to_pylist()].count(True) == 1


def test_what_cannot_be_had_is_a_reason_on_its_row_and_is_tried_again(
    workspace: Workspace, clips: list[str], bucket: str, s3_server: Any, tmp_path: Path
) -> None:
    s3_server.client.put_object(Bucket=bucket, Key="audio/text.flac", Body=b"no audio" * 99)
    absent = [f"s3://{bucket}/{key}" for key in ("audio/none.flac", "denied/x.flac")]
    paths = [clips[0], *absent, f"s3://{bucket}/audio/text.flac"]
    manifest = ingest(workspace, paths, tmp_path, "train")
    for decoded in (4, 2):
        result = probe_manifest(workspace, manifest, workers=1)
        rows = {row["audio_path"]: row for row in result.facts.to_pylist()}
        told = {path: (rows[path]["status"], rows[path]["detail"]) for path in paths}
        assert told[paths[0]] == ("ok", None)
        assert told[paths[1]] == ("missing_audio", "there is no such object")
        assert told[paths[2]][0] == "unreadable_audio"
        assert "S3 refuses access" in told[paths[2]][1]
        assert told[paths[3]][0] == "unreadable_audio"
        assert "/proc/" not in told[paths[3]][1]
        assert result.decoded == decoded


def test_a_server_that_cannot_be_reached_ends_the_command_at_once(
    workspace: Workspace, clips: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = ingest(workspace, clips, tmp_path, "train")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(S3Error, match="S3 cannot be reached"):
        probe_manifest(workspace, manifest, workers=1)
    assert not workspace.table_exists("audio_facts")


def test_a_bucket_that_is_not_there_ends_the_command_at_once(
    workspace: Workspace, bucket: str, tmp_path: Path
) -> None:
    manifest = ingest(workspace, [f"s3://{bucket}-gone/a.wav"], tmp_path, "train")
    with pytest.raises(S3Error, match="there is no bucket"):
        probe_manifest(workspace, manifest, workers=1)


def test_other_addresses_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    manifest = ingest(workspace, ["https://example.org/a.wav"], tmp_path, "train")
    with pytest.raises(UsageError, match="https:// are not read"):
        probe_manifest(workspace, manifest, workers=1)


def test_it_decodes_and_hashes_as_on_a_disk(clips: list[str], data_samples: Path) -> None:
    local = str(data_samples / "audio" / CLIPS[0])
    near, far = (decode(path, offset_s=1.0, duration_s=2.0) for path in (local, clips[0]))
    assert (far.samples == near.samples).all()
    there, here = (probe_clip(Clip(path))["audio_hash"] for path in (clips[0], local))
    assert there == here
    nothing = clips[0].replace("audio/", "none/")
    denied = clips[0].replace("audio/", "denied/")
    assert file_hashes([local, clips[0], nothing, denied]) == {
        local: file_hashes([local])[local],
        clips[0]: file_hashes([local])[local],
        nothing: None,
        denied: None,
    }
    identity = file_identity(clips[0])
    assert identity is not None and identity.size_bytes == Path(local).stat().st_size
    assert file_identity(nothing) is None and file_identity(denied) is None


def test_segments_of_one_recording_are_fetched_once(
    clips: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    fetch = remote_module._fetch
    remote_module._COPIES.clear()

    def told(audio: str) -> Any:
        fetched.append(audio)
        return fetch(audio)

    monkeypatch.setattr(remote_module, "_fetch", told)
    for start in (0.0, 1.0, 2.0):
        decode(clips[0], offset_s=start, duration_s=1.0)
    assert fetched == [clips[0]]
    monkeypatch.setattr(remote_module, "HELD_BYTES", 0)
    decode(clips[1])
    decode(clips[0])
    assert fetched == [clips[0], clips[1], clips[0]]


def test_an_address_with_credentials_is_refused_unseen(bucket: str) -> None:
    with pytest.raises(AudioError, match="credentials") as refusal:
        decode(f"s3://KEY:SECRET@{bucket}/x.wav")
    assert refusal.value.reason is AudioReason.UNREADABLE
    assert "SECRET" not in str(refusal.value)
    assert address(f"s3://{bucket}/x.wav").bucket == bucket
