"""Manifests on S3 give the tables that the same files on a disk give."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asrdq.errors import DataError, ToolError, UsageError
from asrdq.manifests import export_manifest, ingest_manifest
from asrdq.manifests import fetching as fetching_module
from asrdq.places import address
from asrdq.s3_errors import S3Error
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

ROWS = [
    {"audio_filepath": f"clips/{n}.wav", "text": f"word {n}", "duration": n + 0.5, "domain": "d"}
    for n in range(300)
]


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def canonical(workspace: Workspace, name: str) -> pa.Table:
    return workspace.query(f"SELECT * EXCLUDE audio_path FROM {name} ORDER BY utt_id")


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "csv", "parquet"])
def test_a_file_on_s3_is_read_as_one_on_a_disk(
    suffix: str, workspace: Workspace, bucket: str, s3_server: Any, tmp_path: Path
) -> None:
    file = tmp_path / f"train.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), file)
    elif suffix == "csv":
        lines = ["audio_filepath,text,duration,domain"]
        lines += [",".join(str(value) for value in row.values()) for row in ROWS]
        file.write_text("\n".join(lines) + "\n")
    else:
        file.write_bytes(gzip.compress(jsonl(ROWS)) if suffix.endswith("gz") else jsonl(ROWS))
    s3_server.client.upload_file(str(file), bucket, f"data/{file.name}")
    local = ingest_manifest(workspace, [file], "local_one")
    remote = ingest_manifest(workspace, [address(f"s3://{bucket}/data/{file.name}")], "far")
    assert remote.manifest.rows == local.manifest.rows == 300
    assert remote.manifest.fingerprint == local.manifest.fingerprint
    assert canonical(workspace, "far").equals(canonical(workspace, "local_one"))
    assert remote.manifest.sources == (f"s3://{bucket}/data/{file.name}",)
    first = workspace.query("SELECT audio_path FROM far WHERE text = 'word 0'")
    found = workspace.audio_file(remote.manifest, first["audio_path"][0].as_py())
    assert found == f"s3://{bucket}/data/clips/0.wav"


def test_provenance_names_the_object_and_its_etag(
    workspace: Workspace, bucket: str, s3_server: Any
) -> None:
    put = s3_server.client.put_object(Bucket=bucket, Key="t.jsonl", Body=jsonl(ROWS))
    run = ingest_manifest(workspace, [address(f"s3://{bucket}/t.jsonl")], "train").run_id
    (row,) = workspace.query(f"FROM runs WHERE run_id = '{run}'").to_pylist()
    assert json.loads(row["parameters"])["objects"] == [
        {
            "address": f"s3://{bucket}/t.jsonl",
            "etag": put["ETag"].strip('"'),
            "size_bytes": len(jsonl(ROWS)),
        }
    ]


def test_rejects_and_errors_name_what_lies_on_s3(
    workspace: Workspace, bucket: str, s3_server: Any
) -> None:
    bad = jsonl(ROWS[:2]) + b"{not json\n"
    s3_server.client.put_object(Bucket=bucket, Key="bad.jsonl", Body=bad)
    where = address(f"s3://{bucket}/bad.jsonl")
    result = ingest_manifest(workspace, [where], "train", max_reject_share=1.0)
    assert [(row["file"], row["line"]) for row in result.rejects.to_pylist()] == [(str(where), 3)]
    with pytest.raises(DataError) as failure:
        ingest_manifest(workspace, [where], "train", max_reject_share=0.0)
    assert str(where) in str(failure.value) and ".staging" not in str(failure.value)
    s3_server.client.put_object(Bucket=bucket, Key="broken.jsonl.gz", Body=b"\x1f\x8b broken")
    with pytest.raises(DataError, match=f"s3://{bucket}/broken.jsonl.gz") as damaged:
        ingest_manifest(workspace, [address(f"s3://{bucket}/broken.jsonl.gz")], "train")
    assert ".staging" not in str(damaged.value)


def test_a_star_stands_for_any_text_of_a_name(
    workspace: Workspace, bucket: str, s3_server: Any
) -> None:
    for n in range(3):
        body = jsonl(ROWS[n * 100 : (n + 1) * 100])
        s3_server.client.put_object(Bucket=bucket, Key=f"data/part-{n}.jsonl", Body=body)
    s3_server.client.put_object(Bucket=bucket, Key="data/other.txt", Body=b"no")
    made = ingest_manifest(workspace, [address(f"s3://{bucket}/data/part-*.jsonl")], "train")
    assert made.manifest.rows == 300
    assert made.manifest.sources == tuple(f"s3://{bucket}/data/part-{n}.jsonl" for n in range(3))
    with pytest.raises(UsageError, match="nothing has such a name"):
        ingest_manifest(workspace, [address(f"s3://{bucket}/data/*.csv")], "train")


def test_a_folder_is_read_and_its_audio_left_where_it_is(
    workspace: Workspace, bucket: str, s3_server: Any
) -> None:
    for key, body in {
        "wav.scp": "u1 audio/a.flac\nu2 audio/b.flac\n",
        "text": "u1 one\nu2 two\n",
        "utt2dur": "u1 1.5\nu2 2.5\n",
        "audio/a.flac": "x" * 1000,
    }.items():
        s3_server.client.put_object(Bucket=bucket, Key=f"kaldi/{key}", Body=body.encode())
    made = ingest_manifest(workspace, [address(f"s3://{bucket}/kaldi")], "train")
    assert made.formats == {f"s3://{bucket}/kaldi": "kaldi"}
    rows = workspace.query("SELECT utt_id, text FROM train ORDER BY utt_id").to_pylist()
    assert rows == [{"utt_id": "u1", "text": "one"}, {"utt_id": "u2", "text": "two"}]
    (run,) = workspace.query("SELECT parameters FROM runs WHERE command = 'ingest'").to_pylist()
    copied = {item["address"] for item in json.loads(run["parameters"])["objects"]}
    assert copied == {f"s3://{bucket}/kaldi/{name}" for name in ("wav.scp", "text", "utt2dur")}


def test_a_missing_object_is_told_with_the_nearest(
    workspace: Workspace, bucket: str, s3_server: Any
) -> None:
    s3_server.client.put_object(Bucket=bucket, Key="train.jsonl", Body=jsonl(ROWS))
    with pytest.raises(UsageError, match=r"did you mean 'train\.jsonl'"):
        ingest_manifest(workspace, [address(f"s3://{bucket}/trian.jsonl")], "train")
    with pytest.raises(S3Error, match="there is no bucket"):
        ingest_manifest(workspace, [address("s3://no-such-bucket-here/t.jsonl")], "train")
    with pytest.raises(S3Error, match="refuses access"):
        ingest_manifest(workspace, [address(f"s3://{bucket}/denied/t.jsonl")], "train")


def test_a_disk_that_is_too_small_is_told_before(
    workspace: Workspace, bucket: str, s3_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_server.client.put_object(Bucket=bucket, Key="train.jsonl", Body=jsonl(ROWS))
    full = shutil._ntuple_diskusage(10, 10, 0)  # type: ignore[attr-defined]
    monkeypatch.setattr(fetching_module.shutil, "disk_usage", lambda _: full)
    with pytest.raises(ToolError, match=r"has 0\.0 GB left"):
        ingest_manifest(workspace, [address(f"s3://{bucket}/train.jsonl")], "train")


KILLED = """
import os, signal, sys
from asrdq.manifests import ingest_manifest, reading
from asrdq.places import address
from asrdq.workspace import Workspace
reading.make_block = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
ingest_manifest(Workspace.open(sys.argv[1]), [address(sys.argv[2])], "train")
"""


def test_copies_of_a_killed_ingest_go_with_the_next(
    workspace: Workspace, bucket: str, s3_server: Any
) -> None:
    s3_server.client.put_object(Bucket=bucket, Key="train.jsonl", Body=jsonl(ROWS))
    where = f"s3://{bucket}/train.jsonl"
    command = [sys.executable, "-c", KILLED, str(workspace.root), where]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    staging = workspace.store.layout.staging
    assert len(list(staging.glob("fetch-*/*/train.jsonl"))) == 1
    assert ingest_manifest(workspace, [address(where)], "train").manifest.rows == 300
    assert list(staging.iterdir()) == []


@pytest.mark.parametrize(("format_name", "name"), [("nemo", "x.jsonl"), ("csv", "x.csv.gz")])
def test_an_export_to_s3_is_the_one_to_a_disk(
    format_name: str, name: str, workspace: Workspace, bucket: str, s3_server: Any, tmp_path: Path
) -> None:
    (tmp_path / "train.jsonl").write_bytes(jsonl(ROWS))
    made = ingest_manifest(workspace, [tmp_path / "train.jsonl"], "train").manifest
    export_manifest(workspace, made, format_name, tmp_path / name)
    told = export_manifest(workspace, made, format_name, address(f"s3://{bucket}/out/{name}"))
    assert told.file == f"s3://{bucket}/out/{name}"
    assert s3_server.read(bucket, f"out/{name}") == (tmp_path / name).read_bytes()


def test_a_folder_is_not_exported_to_s3(workspace: Workspace, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(jsonl(ROWS))
    made = ingest_manifest(workspace, [tmp_path / "train.jsonl"], "train").manifest
    with pytest.raises(UsageError, match="cannot take as a whole"):
        export_manifest(workspace, made, "kaldi", address(f"s3://{bucket}/out"))


def test_a_row_with_credentials_in_its_address_is_rejected_and_they_are_not_kept(
    workspace: Workspace, tmp_path: Path
) -> None:
    hostile = (
        "s3://AKIAKEY:SECRET@speech/a.wav",
        "s3://AKIAKEY:SECRET/SECRET@speech/a.wav",
        "https://speech.s3.amazonaws.com/a.wav?X-Amz-Credential=AKIAKEY&X-Amz-Signature=SECRET",
    )
    fine = ("s3://speech/user@home/a.wav", "clips/what?.wav", "s3://speech/b.wav")
    file = tmp_path / "train.jsonl"
    rows = [{"audio_filepath": path, "text": "x"} for path in (*hostile, *fine)]
    file.write_bytes(jsonl(rows))
    made = ingest_manifest(workspace, [file], "train", max_reject_share=1.0)
    assert made.manifest.rows == len(fine)
    assert [row["line"] for row in made.rejects.to_pylist()] == [1, 2, 3]
    assert made.rejected == {"bad_audio_path": 3}
    told = f"{made.rejects.to_pylist()} {workspace.read('rejects').to_pylist()}"
    assert "SECRET" not in told and "AKIAKEY" not in told
