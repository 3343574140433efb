"""Audio that comes inside manifests: tar shards and Hugging Face data sets, also hostile ones."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from asrdq.errors import DataError, UsageError
from asrdq.manifests.formats import archive
from asrdq.workspace import Workspace


def sound(number: int) -> bytes:
    """A WAV file of `number` tenths of a second."""
    out = io.BytesIO()
    soundfile.write(out, np.full(1600 * number, number / 100), 16000, format="WAV")
    return out.getvalue()


def add(tar: tarfile.TarFile, name: str, content: bytes = b"", **fields: Any) -> None:
    """Add a member with any header."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(content))


def lines(*rows: dict[str, Any]) -> str:
    """JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def kept(workspace: Workspace) -> set[str]:
    """Names of the clips in the store."""
    return {path.name for path in (workspace.root / "tables" / ".audio").rglob("*.*")}


def shard(folder: Path, number: int, *names: int) -> Path:
    """Write a shard with a clip `N.wav` for each number."""
    path = folder / f"audio_{number}.tar"
    with tarfile.open(path, "w") as tar:
        for each in names:
            add(tar, f"{each}.wav", sound(each))
    return path


def test_shards_with_one_manifest(ingest: Any, workspace: Workspace, tmp_path: Path) -> None:
    shard(tmp_path, 0, 1, 2, 9)
    shard(tmp_path, 1, 3)
    (tmp_path / "tarred_audio_manifest.json").write_text(
        lines(
            {"audio_filepath": "1.wav", "text": "one", "duration": 0.1, "shard_id": 0},
            {"audio_filepath": "3.wav", "text": "three", "shard_id": 1, "id": "own"},
            {"audio_filepath": "2-sub1.wav", "text": "a", "offset": 0.0, "duration": 0.1},
            {"audio_filepath": "2-sub2.wav", "text": "b", "offset": 0.1, "duration": 0.1},
            {"audio_filepath": "7.wav", "text": "lost", "shard_id": 1},
            {"audio_filepath": "8.wav", "text": "no shard", "shard_id": 5},
        )
        + "{broken\n"
    )
    result, rows = ingest(tmp_path)
    assert result.formats == {str(tmp_path): "nemo-tar"}
    assert {row["utt_id"]: (row["text"], row["duration_s"]) for row in rows} == {
        "1.wav": ("one", 0.1),
        "own": ("three", pytest.approx(0.3)),
        "2-sub1.wav": ("a", 0.1),
        "2-sub2.wav@0.1": ("b", 0.1),
    }
    rejects = {(Path(r["file"]).name, r["line"], r["reason"]) for r in result.rejects.to_pylist()}
    assert rejects == {
        ("audio_0.tar", 3, "missing_part"),
        ("tarred_audio_manifest.json", 5, "missing_part"),
        ("tarred_audio_manifest.json", 6, "missing_part"),
        ("tarred_audio_manifest.json", 7, "broken_json"),
    }
    expected = {f"{hashlib.sha256(sound(n)).hexdigest()}.wav" for n in (1, 2, 3)}
    assert kept(workspace) == expected
    clip = workspace.audio_file(result.manifest, rows[0]["audio_path"])
    assert Path(clip).read_bytes() == sound(1)
    again, _ = ingest(tmp_path)
    assert not again.new_version
    assert kept(workspace) == expected


def test_shards_with_a_manifest_each(ingest: Any, tmp_path: Path) -> None:
    (tmp_path / "sharded_manifests").mkdir()
    for number in (0, 1):
        shard(tmp_path, number, number + 1)
        rows = lines({"audio_filepath": f"{number + 1}.wav", "text": str(number)})
        (tmp_path / "sharded_manifests" / f"manifest_{number}.json").write_text(rows)
    result, rows = ingest(tmp_path)
    assert [(row["utt_id"], row["text"]) for row in rows] == [("1.wav", "0"), ("2.wav", "1")]
    assert result.manifest.hours * 3600 == pytest.approx(0.3)
    with pytest.raises(UsageError, match="no folder of NeMo"):
        ingest(tmp_path / "sharded_manifests", format_name="nemo-tar")


HOSTILE: list[tuple[str, Callable[[tarfile.TarFile], None]]] = [
    ("leads out", lambda tar: add(tar, "../../1.wav", sound(1))),
    ("leads out", lambda tar: add(tar, "/etc/1.wav", sound(1))),
    ("link", lambda tar: add(tar, "1.wav", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
    ("link", lambda tar: add(tar, "1.wav", type=tarfile.LNKTYPE, linkname="2.wav")),
    ("device", lambda tar: add(tar, "1.wav", type=tarfile.CHRTYPE)),
    ("larger than", lambda tar: add(tar, "1.wav", sound(9))),
    ("too large", lambda tar: [add(tar, f"{i}.wav", sound(2)) for i in range(3)] and None),
]


@pytest.mark.parametrize(("message", "fill"), HOSTILE)
def test_a_hostile_archive_is_refused(
    ingest: Any,
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    message: str,
    fill: Callable[[tarfile.TarFile], None],
) -> None:
    monkeypatch.setattr(archive, "LARGEST_MEMBER_BYTES", 10_000)
    monkeypatch.setattr(archive, "LARGEST_ARCHIVE_BYTES", 15_000)
    with tarfile.open(tmp_path / "audio_0.tar", "w") as tar:
        fill(tar)
    rows = [{"audio_filepath": f"{i}.wav"} for i in range(3)]
    (tmp_path / "tarred_audio_manifest.json").write_text(lines(*rows))
    with pytest.raises(DataError, match=f"archive is refused: .*{message}") as caught:
        ingest(tmp_path)
    assert caught.value.where == str(tmp_path / "audio_0.tar")
    assert workspace.manifests() == []


def test_an_archive_of_too_many_members(
    ingest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 2)
    rows = [{"audio_filepath": f"{i}.wav"} for i in (1, 2, 3)]
    (tmp_path / "tarred_audio_manifest.json").write_text(lines(*rows))
    shard(tmp_path, 0, 1, 2)
    assert ingest(tmp_path)[0].manifest.rows == 2
    shard(tmp_path, 0, 1, 2, 3)
    with pytest.raises(DataError, match=r"archive is refused: '3\.wav' is one too many"):
        ingest(tmp_path)


def test_an_archive_that_is_none(ingest: Any, tmp_path: Path) -> None:
    shard(tmp_path, 0, 1)
    content = (tmp_path / "audio_0.tar").read_bytes()
    (tmp_path / "tarred_audio_manifest.json").write_text(lines({"audio_filepath": "1.wav"}))
    for damaged in (b"x" * 2000, content[:900]):
        (tmp_path / "audio_0.tar").write_bytes(damaged)
        with pytest.raises(DataError, match="archive is damaged"):
            ingest(tmp_path)


def audio_table() -> pa.Table:
    """Rows as the Hugging Face library stores them: embedded, by path, and neither."""
    audio = [
        {"bytes": sound(1), "path": "a.wav"},
        {"bytes": sound(1), "path": None},
        {"bytes": None, "path": "/data/far.flac"},
        {"bytes": None, "path": None},
    ]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"audio": pa.array(audio, kind), "text": list("abcd"), "take": [1, 2, 3, 4]})
    return table


def check_audio_rows(result: Any, rows: list[dict[str, Any]], workspace: Workspace) -> None:
    assert [(r["line"], r["reason"]) for r in result.rejects.to_pylist()] == [
        (4, "missing_audio_path")
    ]
    assert [(row["text"], row["take"]) for row in rows] == [("a", 1), ("b", 2), ("c", 3)]
    assert rows[0]["utt_id"] == "a.wav"
    assert rows[0]["audio_path"] == rows[1]["audio_path"]
    assert rows[0]["duration_s"] == pytest.approx(0.1)
    assert rows[2]["audio_path"] == "/data/far.flac" or rows[2]["audio_path"].endswith("far.flac")
    assert kept(workspace) == {f"{hashlib.sha256(sound(1)).hexdigest()}.wav"}


def test_parquet_with_audio(ingest: Any, workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "train-00000-of-00001.parquet"
    pq.write_table(audio_table(), file, row_group_size=3)
    result, rows = ingest(file)
    assert result.formats == {str(file): "huggingface"}
    check_audio_rows(result, rows, workspace)


def save_to_disk(folder: Path, table: pa.Table, name: str = "data-00000-of-00001.arrow") -> None:
    """Write a folder as `save_to_disk` lays it out."""
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").write_text("{}")
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    path = folder / Path(name).name
    with path.open("wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)


def test_a_saved_data_set(ingest: Any, workspace: Workspace, tmp_path: Path) -> None:
    save_to_disk(tmp_path / "saved", audio_table())
    result, rows = ingest(tmp_path / "saved")
    assert set(result.formats.values()) == {"huggingface"}
    check_audio_rows(result, rows, workspace)
    assert result.rejects["file"][0].as_py().endswith("data-00000-of-00001.arrow")


def test_a_saved_data_set_with_splits(ingest: Any, tmp_path: Path) -> None:
    for split, rows in (("train", [0]), ("test", [2])):
        save_to_disk(tmp_path / "saved" / split, audio_table().take(rows))
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    _, rows = ingest(tmp_path / "saved")
    assert [(row["split"], row["text"]) for row in rows] == [("train", "a"), ("test", "c")]


@pytest.mark.parametrize("name", ["../data.arrow", "/etc/data.arrow"])
def test_a_saved_data_set_that_points_elsewhere(ingest: Any, tmp_path: Path, name: str) -> None:
    save_to_disk(tmp_path / "saved", audio_table(), name)
    with pytest.raises(DataError, match="not beside it"):
        ingest(tmp_path / "saved")


def test_a_damaged_saved_data_set(ingest: Any, tmp_path: Path) -> None:
    save_to_disk(tmp_path / "saved", audio_table())
    file = tmp_path / "saved" / "data-00000-of-00001.arrow"
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(DataError, match="Arrow file is damaged"):
        ingest(tmp_path / "saved")


def test_a_member_whose_name_is_no_text_is_named(ingest: Any, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "audio_0.tar", "w", format=tarfile.GNU_FORMAT) as tar:
        add(tar, "1.wav", sound(1))
        add(tar, b"caf\xe9.wav".decode(errors="surrogateescape"), sound(2))
    row = {"audio_filepath": "1.wav", "text": "", "shard_id": 0}
    (tmp_path / "tarred_audio_manifest.json").write_text(lines(row), encoding="utf-8")
    result, rows = ingest(tmp_path)
    assert [row["utt_id"] for row in rows] == ["1.wav"]
    assert result.rejects["raw"].to_pylist() == ["caf\\xe9.wav"]


def test_nonsense_in_a_header_is_damage(ingest: Any, tmp_path: Path) -> None:
    shard(tmp_path, 0, 1)
    with tarfile.open(tmp_path / "audio_1.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        add(tar, "2.wav", sound(2), pax_headers={"GNU.sparse.map": "a,b"})
    with tarfile.open(tmp_path / "audio_2.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        add(tar, "3.wav", sound(3))
        add(tar, "4.wav", sound(4), pax_headers={"GNU.sparse.map": "a,b"})
    manifest = tmp_path / "tarred_audio_manifest.json"
    for number, first in ((1, 2), (2, 3)):
        row = {"audio_filepath": f"{first}.wav", "text": "", "shard_id": number}
        manifest.write_text(lines(row), encoding="utf-8")
        with pytest.raises(DataError, match="the archive is damaged") as caught:
            ingest(tmp_path)
        assert caught.value.where == str(tmp_path / f"audio_{number}.tar")
        (tmp_path / f"audio_{number}.tar").unlink()
