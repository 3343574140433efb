"""Export: no column is lost or taken for another one, and a file is written or it is not."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import ToolError
from asrdq.manifests.columns import CANONICAL, FieldMap
from asrdq.manifests.export import export_manifest
from asrdq.manifests.formats.delimited import CsvFormat
from asrdq.manifests.formats.nemo import NemoFormat
from asrdq.manifests.formats.protocol import ManifestFormat
from asrdq.manifests.ingest import ingest_manifest
from asrdq.manifests.outgoing import file_names
from asrdq.versions.derive import derive_manifest
from asrdq.workspace import ManifestVersion, Workspace

FORMATS: list[ManifestFormat] = [NemoFormat(), CsvFormat()]


def alias_pairs(source: ManifestFormat) -> Iterator[tuple[str, list[str]]]:
    """Give a canonical column and two of the names that a file may have for it."""
    for canonical, names in source.aliases.items():
        for pair in permutations(names, 2):
            yield canonical, list(pair)


@pytest.mark.parametrize("target", FORMATS, ids=lambda target: target.name)
@pytest.mark.parametrize("source", FORMATS, ids=lambda source: source.name)
def test_every_pair_of_aliases_stays_two_columns(
    source: ManifestFormat, target: ManifestFormat
) -> None:
    for canonical, pair in alias_pairs(source):
        fields = FieldMap(source.aliases)
        first, second = fields.outputs(pair)
        (metadata,) = {first, second} - {canonical}
        columns = [*CANONICAL, metadata]
        written = dict(
            zip(columns, file_names(columns, target.aliases, fields.renamed()), strict=True)
        )
        assert len(set(written.values())) == len(columns), pair
        optional = ("duration_s", "offset_s", "language", "speaker")
        for absent in [set(), set(optional)]:
            names = [name for column, name in written.items() if column not in absent]
            back = dict(zip(names, FieldMap(target.aliases).outputs(names), strict=True))
            assert back.pop(written[metadata]) not in CANONICAL, pair
            assert {back[written[c]] for c in CANONICAL if c not in absent} == {
                c for c in CANONICAL if c not in absent
            }, pair


def ingest(workspace: Workspace, folder: Path, *rows: dict[str, Any]) -> ManifestVersion:
    file = folder / "in.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return ingest_manifest(workspace, [file], "first").manifest


TWO_PATHS = {"audio_filepath": "a.wav", "audio_path": "old/a.wav", "text": "one"}


def test_a_second_path_keeps_its_value_and_its_name(workspace: Workspace, tmp_path: Path) -> None:
    first = ingest(workspace, tmp_path, TWO_PATHS)
    for name in ("nemo", "csv"):
        out = tmp_path / f"out.{name}"
        export_manifest(workspace, first, name, out, relative=True)
        again = ingest_manifest(workspace, [out], f"again-{name}").manifest
        assert again.fingerprint == first.fingerprint
        (row,) = workspace.scan(again, ["audio_path", "audio_path_2"]).to_pylist()
        assert row == {"audio_path": "a.wav", "audio_path_2": "old/a.wav"}
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as lines:
        (read,) = csv.DictReader(lines)
    assert None not in read
    assert (read["audio_filepath"], read["audio_path"]) == ("a.wav", "old/a.wav")


def test_a_column_beside_one_without_a_value_is_not_taken_for_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    row = {"audio_filepath": "a.wav", "lang": None, "language": "as the speaker said"}
    first = ingest(workspace, tmp_path, row)
    out = tmp_path / "out.jsonl"
    export_manifest(workspace, first, "nemo", out)
    again = ingest_manifest(workspace, [out], "again", audio_root=tmp_path).manifest
    (back,) = workspace.scan(again).to_pylist()
    assert back["language"] is None
    assert back["language_2"] == "as the speaker said"
    assert again.fingerprint == first.fingerprint


def test_a_name_in_other_capitals_comes_back(workspace: Workspace, tmp_path: Path) -> None:
    first = ingest(workspace, tmp_path, {"audio_filepath": "a.wav", "text": "one", "Text": "ONE"})
    export_manifest(workspace, first, "nemo", tmp_path / "out.jsonl")
    written = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert (written["text"], written["Text"]) == ("one", "ONE")


def test_a_file_that_cannot_be_written(workspace: Workspace, tmp_path: Path) -> None:
    first = ingest(workspace, tmp_path, TWO_PATHS)
    with pytest.raises(ToolError, match="cannot be written"):
        export_manifest(workspace, first, "nemo", tmp_path)
    assert not list(tmp_path.parent.glob(".*.part"))


CANARY = {"audio_filepath": "a.wav", "duration": 1.0, "text": "hi", "target_lang": "de"}


def test_the_language_keeps_the_name_that_a_model_asks_for(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = ingest(workspace, tmp_path, {**CANARY, "source_lang": "en", "pnc": "yes"})
    assert workspace.scan(first, ["language"]).to_pydict() == {"language": ["en"]}
    derived = derive_manifest(workspace, "kept", "SELECT * FROM first").manifest
    out = tmp_path / "out.jsonl"
    for version in (first, derived):
        export_manifest(workspace, version, "nemo", out)
        written = json.loads(out.read_text(encoding="utf-8"))
        assert "lang" not in written
        assert (written["source_lang"], written["target_lang"], written["pnc"]) == (
            *("en", "de"),
            "yes",
        )


def test_a_second_language_keeps_its_name_where_every_row_has_the_first(
    workspace: Workspace, tmp_path: Path
) -> None:
    rows = [{**CANARY, "audio_filepath": path, "lang": "en", "source_lang": "fr"} for path in "ab"]
    full = ingest(workspace, tmp_path, *rows)
    out = tmp_path / "out.jsonl"
    export_manifest(workspace, full, "nemo", out)
    written = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert (written["lang"], written["source_lang"]) == ("en", "fr")
    assert ingest_manifest(workspace, [out], "again").manifest.fingerprint == full.fingerprint

    # Without a language in some row the name would be read as one: it gives way, and it is said.
    holes = ingest(workspace, tmp_path, rows[0], {**rows[1], "lang": None})
    result = export_manifest(workspace, holes, "nemo", out)
    assert json.loads(out.read_text(encoding="utf-8").splitlines()[1])["source_lang_2"] == "fr"
    assert any("'source_lang' is called 'source_lang_2'" in note for note in result.notes)


def test_segments_for_nemo_do_not_state_the_rate_of_their_file(
    workspace: Workspace, tmp_path: Path
) -> None:
    clip = {"audio_filepath": "a.wav", "duration": 2.0, "sampling_rate": 16000, "text": "hi"}
    made = ingest(workspace, tmp_path, clip, {**clip, "offset": 5.0})
    out = tmp_path / "out.jsonl"
    result = export_manifest(workspace, made, "nemo", out)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {line.get("offset"): line.get("sampling_rate") for line in lines} == {
        None: 16000,
        5.0: None,
    }
    assert any("without sampling_rate" in note for note in result.notes)
    whole = ingest(workspace, tmp_path, clip)
    assert export_manifest(workspace, whole, "nemo", out).notes == ()
