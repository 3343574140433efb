"""Kaldi data folders: joined by key, commands refused, written so that Kaldi's order holds."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.manifests.export import export_manifest
from asrdq.workspace import Workspace


def data_folder(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name.replace("wav_scp", "wav.scp")).write_text(content, encoding="utf-8")
    return folder


def test_segments_join_all_files(ingest: Any, tmp_path: Path) -> None:
    folder = data_folder(
        tmp_path / "data",
        wav_scp="rec1 a/1.wav\nrec2 /abs/2.wav\n",
        segments="u1 rec1 0.5 2.0\nu2 rec1 2.0 3.25 0\nu3 rec2 0 -1\n",
        text="u3 drei\nu1 one  word\nu2\n",
        utt2spk="u1 s1\nu2 s2\nu3 s1\n",
        spk2gender="s1 f\n",
        reco2dur="rec2 9.5\n",
    )
    result, rows = ingest(folder)
    assert result.formats == {str(folder): "kaldi"}
    assert not result.rejected
    columns = ("utt_id", "text", "offset_s", "duration_s", "speaker", "gender")
    assert [tuple(row.get(c) for c in columns) for row in rows] == [
        ("u1", "one  word", 0.5, 1.5, "s1", "f"),
        ("u2", "", 2.0, 1.25, "s2", None),
        ("u3", "drei", None, 9.5, "s1", "f"),
    ]
    assert rows[2]["audio_path"] == "/abs/2.wav"


def test_each_bad_line_has_its_file_and_number(ingest: Any, tmp_path: Path) -> None:
    folder = data_folder(
        tmp_path / "data",
        wav_scp="rec1 1.wav\nrec2 touch pwned |\n",
        segments="u1 rec1 0 1\nu2 rec9 0 1\nu3 rec1 2 1\nu4 rec1 x 1\nu5 rec2 0 1\nu6 rec1 0 1\n",
        text="u1 a\nu2 b\nu3 c\nu4 d\nu5 e\nu7 nobody\n",
    )
    result, rows = ingest(folder)
    found = {(Path(r["file"]).name, r["line"], r["reason"]) for r in result.rejects.to_pylist()}
    assert found == {
        ("segments", 2, "missing_part"),
        ("segments", 3, "bad_interval"),
        ("segments", 4, "bad_line"),
        ("segments", 5, "command_pipe"),
        ("segments", 6, "missing_part"),
        ("text", 6, "missing_part"),
    }
    assert [row["utt_id"] for row in rows] == ["u1"]


def test_a_command_is_refused_and_not_run(ingest: Any, shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="command_pipe") as caught:
        ingest(shared_data / "lhotse" / "mini_librispeech", max_reject_share=0.5)
    assert "wav.scp:1 is a command" in str(caught.value)
    marker = tmp_path / "ran"
    folder = data_folder(tmp_path / "data", wav_scp=f"u1 touch {marker} |\nu2 2.wav\n")
    result, rows = ingest(folder)
    assert result.rejected == {"command_pipe": 1}
    assert not marker.exists()
    assert [row["utt_id"] for row in rows] == ["u2"]


def test_files_in_another_order_and_encoding(ingest: Any, tmp_path: Path) -> None:
    ids = [f"u{i:03d}" for i in range(300)]
    folder = data_folder(
        tmp_path / "data",
        wav_scp="".join(f"{i} {i}.wav\n" for i in ids),
        text="".join(f"{i} text of {i}\n" for i in reversed(ids)),
    )
    with (folder / "text").open("ab") as text:
        text.write(b"u999 \xff\n")
    result, rows = ingest(folder)
    assert {row["utt_id"]: row["text"] for row in rows} == {i: f"text of {i}" for i in ids}
    assert [(Path(r["file"]).name, r["line"]) for r in result.rejects.to_pylist()] == [
        ("text", 301)
    ]


def test_a_line_without_an_end(
    ingest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrdq.manifests.formats.kaldi_lines.BLOCK_BYTES", 40)
    folder = data_folder(tmp_path / "data", wav_scp=f"u1 1.wav\nu2 {'x' * 90}\nu3 3.wav\n")
    result, rows = ingest(folder)
    assert [row["utt_id"] for row in rows] == ["u1", "u3"]
    (reject,) = result.rejects.to_pylist()
    assert (reject["line"], reject["reason"]) == (2, "too_long")


def test_a_folder_without_wav_scp(ingest: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no folder with a wav\.scp"):
        ingest(tmp_path, format_name="kaldi")


def test_what_kaldi_cannot_hold_is_named(
    workspace: Workspace, make_manifest: Any, tmp_path: Path
) -> None:
    rows = [
        {"audio_filepath": "b.wav", "id": "b", "text": "two\nlines", "lang": "en", "snr": 3},
        {"audio_filepath": "a.wav", "id": "a", "text": "x", "offset": 1.5, "duration": 2.0},
        {"audio_filepath": "a.wav", "id": "B", "text": "", "speaker": "s", "gender": "f"},
    ]
    made = make_manifest(rows)
    out = tmp_path / "out"
    result = export_manifest(workspace, made, "kaldi", out, relative=True)
    assert result.lost == ("language", "snr")
    assert "single blanks" in result.notes[0]
    assert (out / "text").read_text() == "B\na x\nb two lines\n"
    assert (out / "segments").read_text() == "B B 0 -1\na B 1.5 3.5\nb b 0 -1\n"
    assert (out / "wav.scp").read_text() == "B a.wav\nb b.wav\n"
    for name in ("wav.scp", "text", "segments"):
        env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
        subprocess.run(["sort", "-c", str(out / name)], check=True, env=env)
    with pytest.raises(UsageError, match="there already"):
        export_manifest(workspace, made, "kaldi", out)


@pytest.mark.parametrize(
    "row",
    [{"id": "a b"}, {"speaker": "a b"}, {"audio_filepath": "rm -rf / |"}],
    ids=["id", "speaker", "path"],
)
def test_what_would_be_read_as_something_else_is_refused(
    workspace: Workspace, make_manifest: Any, tmp_path: Path, row: dict[str, Any]
) -> None:
    made = make_manifest([{"audio_filepath": "1.wav", "id": "u", **row}])
    with pytest.raises(DataError, match="Kaldi folder"):
        export_manifest(workspace, made, "kaldi", tmp_path / "out", relative=True)
    assert not (tmp_path / "out").exists()


def test_no_line_is_lost_where_a_key_stands_twice(ingest: Any, tmp_path: Path) -> None:
    folder = data_folder(
        tmp_path / "data",
        wav_scp="r1 a.wav\nr1 b.wav\n",
        segments="u2 r1 1 2\nu1 r1 0 1\n",
        text="u1 one\nu1 again\nu2 two\n",
        utt2spk="u1 s1\nu2 s1\n",
        spk2gender="s1 f\ns1 m\n",
    )
    (folder / "reco2dur").write_bytes(b"r\xff 2.0\n")
    result, rows = ingest(folder)
    assert {(row["utt_id"], Path(row["audio_path"]).name, row["text"]) for row in rows} == {
        ("u1", "a.wav", "one"),
        ("u2", "a.wav", "two"),
    }
    assert {row["gender"] for row in rows} == {"f"}
    found = zip(*(result.rejects[name].to_pylist() for name in ("file", "line")), strict=True)
    assert {(Path(file).name, line) for file, line in found} == {
        ("wav.scp", 2),
        ("text", 2),
        ("spk2gender", 2),
        ("reco2dur", 1),
    }


def test_durations_of_utterances_are_read(ingest: Any, tmp_path: Path) -> None:
    folder = data_folder(
        tmp_path / "data",
        wav_scp="u1 a.wav\nu2 b.wav\nu3 c.wav\n",
        utt2dur="u1 1.5\nu3 2.5\n",
        reco2dur="u2 7.25\nu3 99\n",
    )
    _, rows = ingest(folder)
    assert {row["utt_id"]: row["duration_s"] for row in rows} == {"u1": 1.5, "u2": 7.25, "u3": 2.5}
