"""Formats of single corpora: Common Voice, LJ Speech, Qwen3-ASR, AN4, files by name."""

from __future__ import annotations

import json
import os
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asrdq.errors import DataError, UsageError
from asrdq.manifests.export import export_manifest
from asrdq.manifests.formats.pattern import compiled
from asrdq.workspace import Workspace


def write_sound(path: Path, seconds: float) -> None:
    """Write silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(int(8000 * seconds)), 8000)


def test_common_voice_knows_durations(ingest: Any, tmp_path: Path) -> None:
    header = "client_id\tpath\tsentence\tlocale\n"
    (tmp_path / "train.tsv").write_text(
        header + 'p\ta.wav\t"Hi," he said\ten\nq\tb\tmm\ten\nq\t/far/c.wav\tx\ten\n'
    )
    write_sound(tmp_path / "clips" / "a.wav", 0.5)
    result, rows = ingest(tmp_path / "train.tsv", audio_root=tmp_path)
    assert "2 rows have no duration: the hours are those of the others" in result.notes
    assert [row["audio_path"] for row in rows][:2] == ["clips/a.wav", "clips/b.mp3"]
    assert [row.get("duration_s") for row in rows] == [0.5, None, None]
    assert (rows[0]["text"], rows[0]["speaker"], rows[0]["language"]) == (
        '"Hi," he said',
        "p",
        "en",
    )
    (tmp_path / "clip_durations.tsv").write_text("clip\tduration[ms]\na.wav\t1250\nbad\n")
    _, rows = ingest(tmp_path / "train.tsv", audio_root=tmp_path)
    assert [row.get("duration_s") for row in rows] == [1.25, None, None]


def test_lj_speech_lines(ingest: Any, tmp_path: Path) -> None:
    write_sound(tmp_path / "wavs" / "a.wav", 0.25)
    content = b'a|two "words"|2\n\nb|x\nc|1|2|3\n|x|y\nd|\xff|y\n'
    (tmp_path / "metadata.csv").write_bytes(content)
    result, rows = ingest(tmp_path)
    assert [(r["line"], r["reason"]) for r in result.rejects.to_pylist()] == [
        (4, "ragged_row"),
        (5, "ragged_row"),
        (6, "invalid_utf8"),
    ]
    assert rows[0] == {
        "utt_id": "a",
        "audio_path": "wavs/a.wav",
        "text": 'two "words"',
        "normalized_text": "2",
        "duration_s": 0.25,
    }
    assert rows[1] == {"utt_id": "b", "audio_path": "wavs/b.wav", "text": "x"}


QWEN = [
    {"audio": "/d/a.wav", "text": "language English<asr_text>Hello.", "prompt": "names: Ann"},
    {"audio": "/d/b.wav", "text": "language None<asr_text>", "prompt": ""},
    {"audio": "/d/c.wav", "text": "no mark", "prompt": ""},
]


def test_qwen_lines(ingest: Any, workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in QWEN))
    result, rows = ingest(file)
    assert result.formats == {str(file): "qwen"}
    columns = ("text", "language", "prompt")
    assert [tuple(row.get(c) for c in columns) for row in rows] == [
        ("Hello.", "English", "names: Ann"),
        ("", None, ""),
        ("no mark", None, ""),
    ]
    export_manifest(workspace, result.manifest, "qwen", tmp_path / "out.jsonl")
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [{key: line[key] for key in QWEN[0]} for line in written[:2]] == QWEN[:2]
    assert written[2]["text"] == "language None<asr_text>no mark"


def test_qwen_is_given_names_and_not_codes(
    ingest: Any, workspace: Workspace, tmp_path: Path
) -> None:
    """The names are those of the model card; another language has its English name, and is told."""
    codes = ["en", "pt_BR", "YUE", "zh-TW", "zh-HK", "fil", "german"]
    spoken = [*codes, "he", "iw", "Hebrew", "uk-UA", "tlh", None]
    file = tmp_path / "train.jsonl"
    lines = [{"audio_filepath": f"{n}.wav", "text": "x", "lang": s} for n, s in enumerate(spoken)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result, _ = ingest(file)
    made = export_manifest(workspace, result.manifest, "qwen", tmp_path / "out.jsonl")
    written = (tmp_path / "out.jsonl").read_text().splitlines()
    names = ("English", "Portuguese", "Cantonese", "Chinese", "zh-HK", "Filipino", "German")
    assert [json.loads(line)["text"] for line in written] == [
        f"language {name}<asr_text>x"
        for name in (*names, "Hebrew", "Hebrew", "Hebrew", "Ukrainian", "tlh", "None")
    ]
    stands = {"he": "'Hebrew' stands there", "iw": "'Hebrew' stands there"}
    stands["uk-UA"] = "'Ukrainian' stands there"
    assert made.notes == tuple(
        f"Qwen3-ASR has no name for the language '{name}': "
        f"{stands.get(name, 'it stands there as it is')}"
        for name in ("zh-HK", "he", "iw", "Hebrew", "uk-UA", "tlh")
    )


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("{label}_{speaker}_{index}.wav", "7_jackson_32.wav", ("7", "jackson", "32")),
        ("{label}_{speaker}_{}.wav", "7_a_b_c.wav", ("7", "a")),
        ("{speaker}/{}/{utt_id}.flac", "s1/x/u.flac", ("s1", "u")),
        ("a+{n}.wav", "aa1.wav", None),
        ("{n}.wav", "x/1.wav", None),
    ],
)
def test_patterns(pattern: str, path: str, expected: tuple[str, ...] | None) -> None:
    found = compiled(pattern).fullmatch(path)
    assert (found and found.groups()) == expected


@pytest.mark.parametrize("pattern", ["{a}_{a}.wav", "{audio_path}.wav", "{duration_s}.wav", "{1}"])
def test_a_pattern_that_cannot_be(pattern: str) -> None:
    with pytest.raises(UsageError, match=re.escape(pattern)):
        compiled(pattern)


def test_names_that_are_no_text(ingest: Any, tmp_path: Path) -> None:
    write_sound(tmp_path / "1_ann.wav", 0.5)
    odd = os.fsdecode(b"2_caf\xe9.wav")
    (tmp_path / odd).write_bytes((tmp_path / "1_ann.wav").read_bytes())
    result, rows = ingest(tmp_path, pattern="{label}_{speaker}.wav")
    assert [row["speaker"] for row in rows] == ["ann"]
    (reject,) = result.rejects.to_pylist()
    assert (reject["reason"], reject["raw"]) == ("invalid_utf8", "2_caf\\xe9.wav")

    manifest = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    manifest.write_text('{"audio_filepath": "a.wav"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="not valid UTF-8") as caught:
        ingest(manifest)
    assert caught.value.where == str(tmp_path / "caf\\xe9.jsonl")
    (tmp_path / os.fsdecode(b"caf\xe9.TextGrid")).touch()
    with pytest.raises(DataError, match="not valid UTF-8"):
        ingest(tmp_path, format_name="textgrid")


def test_files_by_name(ingest: Any, tmp_path: Path) -> None:
    for name in ("b/1_ann.wav", "a/2_bob.wav", "a/odd.wav"):
        write_sound(tmp_path / name, 0.5)
    (tmp_path / "README.txt").touch()
    result, rows = ingest(tmp_path, pattern="{label}_{speaker}.wav")
    assert [(row["audio_path"], row["label"], row["speaker"]) for row in rows] == [
        ("a/2_bob.wav", "2", "bob"),
        ("b/1_ann.wav", "1", "ann"),
    ]
    assert result.manifest.hours * 3600 == pytest.approx(1.0)
    (reject,) = result.rejects.to_pylist()
    assert (reject["file"], reject["reason"]) == (str(tmp_path / "a" / "odd.wav"), "no_match")
    with pytest.raises(UsageError, match="need a pattern"):
        ingest(tmp_path, format_name="pattern")
    with pytest.raises(UsageError, match="is no folder"):
        ingest(tmp_path / "README.txt", pattern="{a}.wav")


def an4_folder(folder: Path) -> Path:
    """A folder in which each list lacks something."""
    (folder / "etc").mkdir(parents=True)
    write_sound(folder / "wav" / "x" / "s" / "u1.wav", 0.5)
    (folder / "etc" / "a_train.fileids").write_text("x/s/u1\nx/s/u2\nx/s/u3\n")
    (folder / "etc" / "a_train.transcription").write_text(
        "<s> ONE TWO </s> (u1)\nTHREE (u3)\nno id\nFOUR (u4)\n"
    )
    return folder


def test_an4_lists_that_do_not_agree(ingest: Any, tmp_path: Path) -> None:
    folder = an4_folder(tmp_path / "an4")
    packed = tmp_path / "an4.tar"
    with tarfile.open(packed, "w") as archive:
        archive.add(folder, "an4")
    for path in (folder, packed):
        result, rows = ingest(path)
        assert [(row["utt_id"], row["text"], row["speaker"]) for row in rows] == [
            ("u1", "ONE TWO", "s")
        ]
        found = {(r["file"][-13:], r["line"], r["reason"]) for r in result.rejects.to_pylist()}
        assert found == {
            ("train.fileids", 2, "missing_part"),
            ("train.fileids", 3, "missing_part"),
            ("transcription", 3, "bad_line"),
            ("transcription", 4, "missing_part"),
        }


def test_an4_without_lists(ingest: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no etc/\*\.fileids"):
        ingest(tmp_path, format_name="an4")
    folder = an4_folder(tmp_path / "an4")
    (folder / "etc" / "a_train.transcription").unlink()
    with pytest.raises(UsageError, match=r"no etc/a_train\.transcription"):
        ingest(folder)
    with tarfile.open(tmp_path / "an4.tar", "w") as archive:
        archive.add(folder / "wav", "an4/wav")
    with pytest.raises(UsageError, match="no etc/"):
        ingest(tmp_path / "an4.tar")
    (tmp_path / "an4.tar").write_bytes(b"nothing" * 200)
    with pytest.raises(DataError, match="archive is damaged"):
        ingest(tmp_path / "an4.tar")
