"""Compressed files: read as plain ones are, and refused where they are damaged or bombs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import DataError
from asrdq.manifests.export import export_manifest
from asrdq.manifests.formats import opening
from asrdq.manifests.formats.lines import split_lines
from asrdq.workspace import Workspace

LINES = b"".join(
    json.dumps({"audio_filepath": f"{i}.wav", "text": "a" * (i % 50), "duration": 1.5}).encode()
    + b"\n"
    for i in range(3000)
)


@pytest.mark.parametrize("block_bytes", [100, 4096, 1 << 20])
def test_compressed_lines_are_cut_like_plain_ones(tmp_path: Path, block_bytes: int) -> None:
    plain, packed = tmp_path / "m.jsonl", tmp_path / "m.jsonl.gz"
    plain.write_bytes(LINES)
    packed.write_bytes(gzip.compress(LINES[:9000]) + gzip.compress(LINES[9000:]))
    with opening.opened(plain) as one, opening.opened(packed) as two:
        assert list(split_lines(two.stream, block_bytes)) == list(
            split_lines(one.stream, block_bytes)
        )
        assert two.consumed() == packed.stat().st_size


def test_a_compressed_manifest_is_what_the_plain_one_is(ingest: Any, tmp_path: Path) -> None:
    plain, packed = tmp_path / "m.jsonl", tmp_path / "m.jsonl.gz"
    plain.write_bytes(LINES + b"{broken\n")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    seen: list[int] = []
    first, rows = ingest(plain)
    again, back = ingest(packed, name="again", advance=seen.append)
    assert again.formats == {str(packed): "nemo"}
    assert (again.manifest.fingerprint, back) == (first.manifest.fingerprint, rows)
    assert again.rejects["line"].to_pylist() == [3001]
    assert sum(seen) == packed.stat().st_size


def test_what_is_written_compressed_comes_back(
    workspace: Workspace, ingest: Any, make_manifest: Any, tmp_path: Path
) -> None:
    made = make_manifest([{"audio_filepath": "1.wav", "text": "one"}])
    for name in ("out.jsonl.gz", "twice.jsonl.gz"):
        export_manifest(workspace, made, "nemo", tmp_path / name)
    content = (tmp_path / "out.jsonl.gz").read_bytes()
    assert json.loads(gzip.decompress(content))["text"] == "one"
    assert content == (tmp_path / "twice.jsonl.gz").read_bytes()
    back, _ = ingest(tmp_path / "out.jsonl.gz", audio_root=tmp_path)
    assert back.manifest.fingerprint == made.fingerprint


def test_damaged_compressed_data_is_no_manifest(ingest: Any, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LINES))
    file = tmp_path / "m.jsonl.gz"
    for content in (bytes(packed[: len(packed) // 2]), bytes(packed[:-6]) + b"xxxxxx"):
        file.write_bytes(content)
        with pytest.raises(DataError, match="gzip data is damaged") as caught:
            ingest(file, format_name="nemo")
        assert caught.value.where == str(file)


@pytest.mark.slow
def test_a_bomb_is_refused(ingest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "UNQUESTIONED_BYTES", 1 << 20)
    file = tmp_path / "m.jsonl.gz"
    file.write_bytes(gzip.compress(b'{"audio_filepath": "1.wav"}\n' + b" " * (8 << 20)))
    with pytest.raises(DataError, match="more than 300 times its size"):
        ingest(file, format_name="nemo")
    file.write_bytes(gzip.compress(LINES * 20))
    assert ingest(file)[0].manifest.rows == 3000
