"""Ingest: which rows are taken, which are not and why, and what columns become."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.manifests.ingest import ingest_manifest
from asrdq.workspace import Workspace

GOOD = {"audio_filepath": "a/0.wav", "duration": 1.5, "text": "hello"}


def write_lines(path: Path, *lines: object) -> Path:
    """Write JSON objects, and bytes as they are, as lines."""
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(raw) + b"\n")
    return path


def clip(number: int, **fields: object) -> dict[str, object]:
    """A good line of its own path."""
    return {**GOOD, "audio_filepath": f"a/{number}.wav", **fields}


BAD_LINES = [
    (b"{broken", "broken_json"),
    (b'{"audio_filepath": "x.wav", "audio_filepath": "y.wav"}', "broken_json"),
    (b'{"audio_filepath": "x.wav"} {"audio_filepath": "y.wav"}', "broken_json"),
    (b'{"audio_filepath": "x.wav", "text": "a\x00b"}', "broken_json"),
    (b"[" * 100_000, "broken_json"),
    (b"[1, 2]", "not_an_object"),
    (b"null", "not_an_object"),
    (b'{"audio_filepath": "\xff.wav"}', "invalid_utf8"),
    (b'{"audio_filepath": "x.wav", "text": "\\ud800"}', "invalid_utf8"),
    (b'{"text": "no path"}', "missing_audio_path"),
    (b'{"audio_filepath": ""}', "missing_audio_path"),
    (b'{"audio_filepath": "   "}', "missing_audio_path"),
    (b'{"audio_filepath": null}', "missing_audio_path"),
    (b'{"audio_filepath": 5}', "wrong_type"),
    (b'{"audio_filepath": ["x.wav"]}', "wrong_type"),
    (b'{"audio_filepath": "x\\ny.wav"}', "bad_audio_path"),
    (b'{"audio_filepath": "x\\u0000.wav"}', "bad_audio_path"),
    (b'{"audio_filepath": "x.wav", "duration": NaN}', "nan_duration"),
    (b'{"audio_filepath": "x.wav", "duration": Infinity}', "absurd_duration"),
    (b'{"audio_filepath": "x.wav", "duration": -1}', "negative_duration"),
    (b'{"audio_filepath": "x.wav", "duration": 36001}', "absurd_duration"),
    (b'{"audio_filepath": "x.wav", "duration": 0}', "absurd_duration"),
    (b'{"audio_filepath": "x.wav", "duration": "3"}', "wrong_type"),
    (b'{"audio_filepath": "x.wav", "duration": true}', "wrong_type"),
    (b'{"audio_filepath": "x.wav", "offset": -0.5}', "bad_offset"),
    (b'{"audio_filepath": "x.wav", "offset": NaN}', "bad_offset"),
    (b'{"audio_filepath": "x.wav", "text": 7}', "wrong_type"),
    (b'{"audio_filepath": "x.wav", "id": "a\\u001fb"}', "bad_id"),
    (b'{"audio_filepath": "x.wav", "lang": "e\\nn"}', "bad_language"),
    (b'{"audio_filepath": "a/1.wav"}', "duplicate_id"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES, ids=lambda value: str(value)[:40])
def test_a_bad_line_is_rejected_with_its_place(
    workspace: Workspace, tmp_path: Path, line: bytes, reason: str
) -> None:
    file = write_lines(tmp_path / "m.jsonl", clip(1), b"", line, clip(2))
    result = ingest_manifest(workspace, [file], "train", max_reject_share=0.5)
    assert result.rejected == {reason: 1}
    assert result.manifest.rows == 2
    stored = workspace.read("rejects").to_pylist()
    assert [(row["file"], row["line"], row["reason"]) for row in stored] == [(str(file), 3, reason)]
    assert stored[0]["raw"]
    assert stored[0]["detail"]


def test_all_bad_lines_at_once_leave_the_good_ones(workspace: Workspace, tmp_path: Path) -> None:
    lines = [line for line, _ in BAD_LINES]
    file = write_lines(tmp_path / "m.jsonl", clip(1), *lines, clip(2))
    result = ingest_manifest(workspace, [file], "train", max_reject_share=1.0)
    assert result.manifest.rows == 2
    assert result.rejects["line"].to_pylist() == list(range(2, 2 + len(lines)))
    assert result.rejects["reason"].to_pylist() == [reason for _, reason in BAD_LINES]


def test_too_many_rejects_make_no_version(workspace: Workspace, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "m.jsonl", *map(clip, range(98)), b"{x", b"{y")
    with pytest.raises(DataError, match=r"2 of 100 lines \(2.0%\) were rejected"):
        ingest_manifest(workspace, [file], "train")
    assert workspace.manifests() == []
    assert workspace.read("rejects").num_rows == 2
    assert workspace.read("runs")["state"].to_pylist() == ["failed"]
    kept = ingest_manifest(workspace, [file], "train", max_reject_share=0.02)
    assert kept.manifest.rows == 98


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_manifest_is_an_error(
    workspace: Workspace, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "m.jsonl"
    file.write_bytes(content)
    for name in ("auto", "nemo"):
        with pytest.raises(DataError, match="the manifest is empty"):
            ingest_manifest(workspace, [file], "train", format_name=name)


def test_types_of_metadata_columns_are_kept(workspace: Workspace, tmp_path: Path) -> None:
    file = write_lines(
        tmp_path / "m.jsonl",
        clip(1, take=1, snr=1, ok=True, tags=["a"], dev={"mic": "x"}, when="2020-01-01", odd=1),
        clip(2, take=2, snr=2.5, ok=None, tags=[], dev={"mic": "y", "ch": 2}, odd="two"),
        clip(3, late=7, big=2**63, odd={"three": 3}),
    )
    result = ingest_manifest(workspace, [file], "train")
    rows = workspace.scan(result.manifest)
    kinds = {field.name: str(field.type) for field in rows.schema}
    assert kinds["take"] == "int64"
    assert kinds["snr"] == "double"
    assert kinds["ok"] == "bool"
    assert kinds["tags"].startswith("list")
    assert kinds["dev"] == "struct<mic: string, ch: int64>"
    assert kinds["when"] == kinds["odd"] == kinds["big"] == "string"
    assert kinds["late"] == "int64"
    assert rows["odd"].to_pylist() == ["1", "two", '{"three": 3}']
    assert rows["big"].to_pylist() == [None, None, str(2**63)]
    assert rows["snr"].to_pylist() == [1.0, 2.5, None]
    assert any("'odd' mixes types" in note for note in result.notes)


def test_types_widen_across_blocks_and_files(workspace: Workspace, tmp_path: Path) -> None:
    one = write_lines(tmp_path / "1.jsonl", clip(1, n=1, odd=1, deep={"a": 1}, nothing=None))
    two = write_lines(tmp_path / "2.jsonl", clip(2, n=1.5, odd="x", deep={"a": 1.5, "b": [1]}))
    rows = workspace.scan(ingest_manifest(workspace, [one, two], "train").manifest)
    assert rows["n"].to_pylist() == [1.0, 1.5]
    assert rows["odd"].to_pylist() == ["1", "x"]
    assert rows["deep"].to_pylist() == [{"a": 1.0, "b": None}, {"a": 1.5, "b": [1]}]
    assert rows["nothing"].to_pylist() == [None, None]


def test_user_columns_cannot_take_the_place_of_ours(workspace: Workspace, tmp_path: Path) -> None:
    names = {"audio_path": "theirs", "Duration_S": 9, "we ird;{}": 1, "run'\"": 2, "": 3}
    file = write_lines(tmp_path / "m.jsonl", clip(1, **names))
    result = ingest_manifest(workspace, [file], "train")
    row = workspace.scan(result.manifest).to_pylist()[0]
    assert row["audio_path"] == "a/1.wav"
    assert row["audio_path_2"] == "theirs"
    assert row["Duration_S_2"] == 9
    assert row["duration_s"] == 1.5
    assert (row["we_ird_"], row["run_"], row["column"]) == (1, 2, 3)
    assert result.manifest.renamed["we_ird_"] == "we ird;{}"
    assert workspace.sql('SELECT "we_ird_" FROM train').rows.num_rows == 1


def test_own_ids_are_taken_and_numbers_become_text(workspace: Workspace, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "m.jsonl", clip(1, id=7, speaker=12), clip(2, id="b"), clip(3))
    rows = workspace.scan(ingest_manifest(workspace, [file], "train").manifest)
    ids = rows["utt_id"].to_pylist()
    assert ids[:2] == ["7", "b"]
    assert len(ids[2]) == 20
    assert rows["speaker"].to_pylist() == ["12", None, None]
    assert "id" not in rows.column_names


def test_identical_content_makes_no_new_version(workspace: Workspace, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "m.jsonl", clip(1, take=1), clip(2, take=2))
    first = ingest_manifest(workspace, [file], "train")
    swapped = write_lines(tmp_path / "s.jsonl", clip(2, take=2), clip(1, take=1))
    again = ingest_manifest(workspace, [swapped], "train")
    assert (first.new_version, again.new_version) == (True, False)
    other = write_lines(tmp_path / "o.jsonl", clip(1, take=1), clip(2, take=3))
    third = ingest_manifest(workspace, [other], "train")
    assert (third.new_version, third.manifest.version) == (True, 1)
    assert third.manifest.fingerprint == first.manifest.fingerprint
    assert workspace.scan(workspace.manifest("train@0"))["take"].to_pylist() == [1, 2]


def test_an_older_version_keeps_its_own_facts(workspace: Workspace, tmp_path: Path) -> None:
    made = []
    for rows in ([clip(1)], [clip(1), clip(2)], [clip(3)]):
        file = write_lines(tmp_path / "m.jsonl", *rows)
        made.append(ingest_manifest(workspace, [file], "train").manifest)
    assert len({version.fingerprint for version in made}) == 3
    assert [workspace.manifest(f"train@{number}") for number in range(3)] == made
    assert [version.rows for version in workspace.history("train")] == [1, 2, 1]


@pytest.mark.parametrize("name", ["", "Train", "runs", "a/b", "../x", "train@1", "x" * 65])
def test_a_manifest_cannot_have_any_name(workspace: Workspace, tmp_path: Path, name: str) -> None:
    file = write_lines(tmp_path / "m.jsonl", clip(1))
    with pytest.raises(UsageError):
        ingest_manifest(workspace, [file], name)


def test_a_missing_file_names_the_nearest(workspace: Workspace, tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", clip(1))
    with pytest.raises(UsageError, match=r"did you mean 'train.jsonl'"):
        ingest_manifest(workspace, [tmp_path / "trian.jsonl"], "train")
    with pytest.raises(UsageError, match="is a folder"):
        ingest_manifest(workspace, [tmp_path], "train")


def test_real_speech_manifest(workspace: Workspace, librispeech: Path) -> None:
    made = ingest_manifest(workspace, [librispeech], "libri").manifest
    with librispeech.open(encoding="utf-8") as lines:
        expected = [json.loads(line) for line in lines]
    assert made.rows == len(expected)
    assert made.hours == pytest.approx(sum(row["duration"] for row in expected) / 3600)
    rows = workspace.scan(made).to_pylist()
    assert [row["text"] for row in rows] == [row["text"] for row in expected]
    assert all(Path(workspace.audio_file(made, row["audio_path"])).is_file() for row in rows)
