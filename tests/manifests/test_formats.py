"""CSV and TSV, recognising formats, plug-ins, and files written and read again."""

from __future__ import annotations

import csv
import io
import json
import sys
import types
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asrdq.errors import DataError, ToolError, UsageError
from asrdq.manifests.columns import Aliases
from asrdq.manifests.export import export_manifest
from asrdq.manifests.formats import registry
from asrdq.manifests.formats.delimited import CsvFormat, TsvFormat
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.nemo import NemoFormat
from asrdq.manifests.formats.opening import opened
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.ingest import ingest_manifest
from asrdq.workspace import Workspace


def ingest_text(workspace: Workspace, file: Path, text: str | bytes, **options: Any) -> Any:
    """Write a file, ingest it, and return the result and the rows."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    options.setdefault("max_reject_share", 1.0)
    result = ingest_manifest(workspace, [file], "train", **options)
    return result, workspace.scan(result.manifest)


def test_csv_types_quotes_and_line_ends(workspace: Workspace, tmp_path: Path) -> None:
    text = (
        "\ufeffpath,sentence,duration,code,n,x,ok,empty\r\n"
        '1.wav,"two ""words"",\r\nthree",1.5,007,1,1,true,\r\n'
        "\r\n"
        "2.wav,,,010,2,2.5,False,\r\n"
    )
    result, rows = ingest_text(workspace, tmp_path / "m.csv", text)
    assert result.formats == {str(tmp_path / "m.csv"): "csv"}
    assert not result.rejected
    assert rows["text"].to_pylist() == ['two "words",\r\nthree', ""]
    assert rows["duration_s"].to_pylist() == [1.5, None]
    assert rows["code"].to_pylist() == ["007", "010"]
    assert rows["n"].to_pylist() == [1, 2]
    assert rows["x"].to_pylist() == [1.0, 2.5]
    assert rows["ok"].to_pylist() == [True, False]
    assert rows["empty"].to_pylist() == [None, None]


def test_csv_rejects_with_lines(workspace: Workspace, tmp_path: Path) -> None:
    text = (
        b"path,text,duration\n1.wav,a,1\n2.wav,b\n3.wav,c,1,9\n4.wav,\xff,1\n"
        b'5.wav,d,long\n6.wav,"e"x,1\n7.wav,"open,1\n8.wav,g,1\n,h,1\n9.wav,i,nan\n'
    )
    result, rows = ingest_text(workspace, tmp_path / "m.csv", text)
    found = {(row["line"], row["reason"]) for row in result.rejects.to_pylist()}
    assert found == {
        (3, "ragged_row"),
        (4, "ragged_row"),
        (5, "invalid_utf8"),
        (6, "wrong_type"),
        (7, "ragged_row"),
        (8, "ragged_row"),
        (10, "missing_audio_path"),
        (11, "nan_duration"),
    }
    assert rows["audio_path"].to_pylist() == ["1.wav", "8.wav"]


def test_a_column_that_turns_out_as_text_keeps_its_digits(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrdq.manifests.formats.rows.ROWS_A_CHUNK", 2)
    lines = [f"{i}.wav,1.{i}0" for i in range(5)]
    text = "path,code\n" + "\n".join(lines) + "\n9.wav,v2\n"
    result, rows = ingest_text(workspace, tmp_path / "m.csv", text)
    assert rows["code"].to_pylist() == ["1.00", "1.10", "1.20", "1.30", "1.40", "v2"]
    assert not result.rejected


def test_tsv_with_quotes_that_do_not_pair(workspace: Workspace, tmp_path: Path) -> None:
    text = 'client_id\tpath\tsentence\nx\t1.mp3\t"Hello," she said\ny\t2.mp3\t"open\nz\t3.mp3\tb\n'
    result, rows = ingest_text(workspace, tmp_path / "cv.tsv", text)
    assert not result.rejected
    assert rows["text"].to_pylist() == ['"Hello," she said', '"open', "b"]
    assert rows["speaker"].to_pylist() == ["x", "y", "z"]


def test_a_header_that_names_a_column_twice(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'text' twice"):
        ingest_text(workspace, tmp_path / "m.csv", "path,text,text\n1.wav,a,b\n")


def test_a_csv_without_an_audio_column(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    with pytest.raises(
        UsageError, match=r"hold audio_path\n.*sound.*--column audio_path="
    ) as caught:
        ingest_text(workspace, file, "sound,wavfile,words\n1,1.wav,a\n")
    assert caught.value.where == str(file)
    with pytest.raises(UsageError, match=r"no column .wavefile.\n.*--column audio_path=wavfile"):
        ingest_text(workspace, file, file.read_text(), columns={"audio_path": "wavefile"})
    with pytest.raises(UsageError, match="'audio'"):
        ingest_text(workspace, file, file.read_text(), columns={"audio": "audio"})


def test_columns_under_other_names(workspace: Workspace, tmp_path: Path) -> None:
    columns = {"audio_path": "clip", "text": "words", "duration_s": "len"}
    content = "clip,words,len,duration\n1.wav,a,2,x\n2.wav,b,no,x\n"
    result, rows = ingest_text(
        workspace, tmp_path / "m.csv", content, columns=columns, max_reject_share=0.5
    )
    assert rows.select(["audio_path", "text", "duration_s", "duration"]).to_pylist() == [
        {"audio_path": "1.wav", "text": "a", "duration_s": 2.0, "duration": "x"}
    ]
    assert result.rejected == {"wrong_type": 1}


def test_a_manifest_without_texts_is_said_to_be_one(workspace: Workspace, tmp_path: Path) -> None:
    line = '{"audio_filepath": "1.wav", "sentence": "a", "duration": 1.0}\n'
    result, rows = ingest_text(workspace, tmp_path / "m.jsonl", line)
    assert rows["text"].to_pylist() == [""]
    assert any(
        "audio_filepath, duration, sentence (--column text=NAME)" in note for note in result.notes
    )
    result, rows = ingest_text(workspace, tmp_path / "m.jsonl", line, columns={"text": "sentence"})
    assert rows["text"].to_pylist() == ["a"]
    assert not result.notes


def test_a_file_named_twice(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text("path,text\n1.wav,a\n")
    with pytest.raises(UsageError, match="named twice"):
        ingest_manifest(workspace, [file, tmp_path / "." / "m.csv"], "m")


def test_a_header_in_another_encoding_names_its_file(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_bytes("path,text\n1.wav,a\n".encode("utf-16"))
    with pytest.raises(DataError, match="header cannot be read") as caught:
        ingest_manifest(workspace, [file], "m")
    assert caught.value.where == str(file)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", b'\xef\xbb\xbf\n {"audio_filepath": "x.wav"}\n', "nemo"),
        ("a.txt", b"audio_filepath,text\nx.wav,a\n", "csv"),
        ("a.txt", b"path\ttext\nx.wav\ta\n", "tsv"),
        ("a.csv", b"path\nx.wav\n", "csv"),
    ],
)
def test_formats_are_recognised(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert registry.sniff_format(file).name == expected


def test_an_unknown_format_names_the_valid_ones(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"\x00\x01")
    with pytest.raises(UsageError, match="nemo, commonvoice, csv, tsv"):
        registry.sniff_format(file)
    with pytest.raises(UsageError, match="did you mean 'nemo'"):
        registry.find_format("nmo")


class PipeFormat:
    """A plug-in: `path|text` lines."""

    name: ClassVar[str] = "pipe"
    description: ClassVar[str] = "path|text"
    typed: ClassVar[bool] = True
    holds: ClassVar[frozenset[str] | None] = frozenset({"audio_path", "text"})
    order: ClassVar[tuple[str, ...]] = ()
    suffix: ClassVar[str] = ".pipe"
    keeps_paths: ClassVar[bool] = True
    aliases: Aliases = types.MappingProxyType({"audio_path": ("path",), "text": ("text",)})

    def sniff(self, path: Path, head: bytes) -> bool:
        return path.suffix == ".pipe"

    def split(self, path: Path) -> Iterator[Chunk]:
        with opened(path) as source:
            for number, line in enumerate(source.stream, 1):
                yield Chunk(line, number)

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        import numpy as np

        path, _, text = chunk.data.decode().rstrip("\n").partition("|")
        return Parsed(pa.table({"path": [path], "text": [text]}), np.array([chunk.first_line]), [])

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        with out.file() as file:
            for batch in rows:
                for row in batch.to_pylist():
                    file.write(f"{row['path']}|{row['text']}\n".encode())


def plug_in(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Install an entry point as an installed package would."""
    point = EntryPoint("pipe", value, registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])


def test_a_plug_in_is_found_and_works(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("a_plug_in")
    module.PipeFormat = PipeFormat  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_plug_in", module)
    plug_in(monkeypatch, "a_plug_in:PipeFormat")
    result, rows = ingest_text(workspace, tmp_path / "m.pipe", "1.wav|one\n2.wav|two\n1.wav|x\n")
    assert result.formats == {str(tmp_path / "m.pipe"): "pipe"}
    assert rows["text"].to_pylist() == ["one", "two"]
    assert result.rejected == {"duplicate_id": 1}
    export_manifest(workspace, result.manifest, "pipe", tmp_path / "o.pipe", relative=True)
    assert (tmp_path / "o.pipe").read_text() == "1.wav|one\n2.wav|two\n"


@pytest.mark.parametrize("value", ["no_such_module:Format", "json:JSONDecoder"])
def test_a_broken_plug_in_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    plug_in(monkeypatch, value)
    with pytest.raises(ToolError, match=r"pipe|JSONDecoder"):
        registry.formats()


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
rows_of_a_manifest = st.lists(
    st.fixed_dictionaries(
        {"text": words | st.just('a "b", c'), "duration": st.floats(0, 1000, exclude_min=True)},
        optional={
            "offset": st.floats(0, 10),
            "lang": words,
            "speaker": words,
            "take": st.integers(-(2**62), 2**62),
            "tags": st.lists(st.integers(0, 9), max_size=3),
            "my note": words,
        },
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows_of_a_manifest, st.sampled_from(["nemo", "csv", "tsv"]), st.booleans())
def test_what_is_exported_comes_back(
    workspace: Workspace,
    tmp_path: Path,
    lines: list[dict[str, Any]],
    target: str,
    relative: bool,
) -> None:
    file, out = tmp_path / "in.jsonl", tmp_path / f"out.{target}"
    lines = [{"audio_filepath": f"clips/{i}.wav", **line} for i, line in enumerate(lines)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    first = ingest_manifest(workspace, [file], "first").manifest
    export_manifest(workspace, first, target, out, relative=relative)
    again = ingest_manifest(workspace, [out], "again", audio_root=tmp_path).manifest
    assert again.rows == first.rows
    empty_language = target != "nemo" and any(line.get("lang") == "" for line in lines)
    assert (again.fingerprint == first.fingerprint) or empty_language
    if target == "nemo":
        before, after = (workspace.scan(made).to_pylist() for made in (first, again))
        own = [{k: v for k, v in row.items() if k != "audio_path"} for row in before]
        back = [{k: row.get(k) for k in own[0]} for row in after]
        assert back == own
        assert "my_note" not in own[0] or b'"my note"' in out.read_bytes()


def test_written_csv_is_read_alike_by_the_standard_library() -> None:
    table = pa.table({"audio_filepath": ["a,b.wav"], "text": ['say "x"\nnow'], "tags": [[1, 2]]})
    out = io.BytesIO()
    CsvFormat().write(table.to_reader(), Destination(out))
    read = list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))
    assert read == [{"audio_filepath": "a,b.wav", "text": 'say "x"\nnow', "tags": "[1, 2]"}]


@pytest.mark.parametrize("format_", [NemoFormat(), CsvFormat(), TsvFormat()])
def test_shipped_formats_follow_the_protocol(format_: object) -> None:
    assert isinstance(format_, registry.ManifestFormat)
