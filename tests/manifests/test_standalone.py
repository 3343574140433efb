"""A manifest file read without a workspace gives what an ingest gives."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import asrdq
from asrdq.errors import DataError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.workspace import Workspace


def test_it_gives_what_an_ingest_gives(workspace: Workspace, librispeech: Path) -> None:
    found = asrdq.read_manifest(librispeech)
    made = ingest_manifest(workspace, [librispeech], "train").manifest
    assert found.rows.equals(workspace.scan(made))
    assert (found.fingerprint, found.audio_root) == (made.fingerprint, made.audio_root)
    assert found.format == "nemo"
    assert found.rejects.num_rows == 0
    assert found.summary() == f"nemo: 120 rows, {made.hours:,.2f} h"
    lines = map(json.loads, librispeech.read_text(encoding="utf-8").splitlines())
    assert found.pl()["text"].to_list() == [line["text"] for line in lines]
    assert pa.table(found).num_rows == len(found.df()) == 120


def test_bad_lines_are_given_beside_the_rows(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("wave,sentence\na.wav,one\n,two\n")
    found = asrdq.read_manifest(
        file, columns={"audio_path": "wave", "text": "sentence"}, audio_root=tmp_path / "audio"
    )
    assert found.rows["text"].to_pylist() == ["one"]
    (reject,) = found.rejects.to_pylist()
    assert (reject["file"], reject["line"], reject["reason"]) == (
        str(file),
        3,
        "missing_audio_path",
    )
    assert found.audio_root == str(tmp_path / "audio")
    assert "rejected 1 lines" in found.summary()


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent"):
        asrdq.read_manifest(tmp_path / "absent.jsonl")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(DataError, match="empty"):
        asrdq.read_manifest(empty, format_name="nemo")


def test_audio_inside_the_manifest_needs_a_workspace(data_samples: Path, tmp_path: Path) -> None:
    clip = data_samples / "audio" / "meeting-01.flac"
    audio = [{"bytes": clip.read_bytes(), "path": clip.name}]
    file = tmp_path / "train.parquet"
    pq.write_table(pa.table({"audio": audio, "text": ["hello"]}), file)
    with pytest.raises(UsageError, match="its audio lies inside it"):
        asrdq.read_manifest(file)
