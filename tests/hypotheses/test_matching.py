"""Whose a hypothesis is: ids first, then paths, then names that are unambiguous."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.hypotheses import load_hypotheses
from asrdq.manifests import ingest_manifest
from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow


def lines(**texts: str | None) -> str:
    return "".join(json.dumps({"utt_id": k, "hyp": v}) + "\n" for k, v in texts.items())


def by_path(*paths: str, **fields: Any) -> str:
    rows = ({"audio_filepath": path, "hyp": f"h{at}", **fields} for at, path in enumerate(paths))
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("paths", "key"),
    [
        (["x/a.wav", "x/b.wav", "y/c.wav"], "audio path"),
        (["/audio/x/a.wav", "/audio/./x/b.wav", "y/../y/c.wav"], "audio path"),
        (["/mnt/other/a.wav", "b.wav", "c.wav"], "file name"),
        (["a.mp3", "x/b.flac", "c"], "file name without its suffix"),
    ],
)
def test_joined_by_path(
    manifest: ManifestVersion, load: Any, stored: Any, paths: list[str], key: str
) -> None:
    assert load(manifest, "r1.jsonl", by_path(*paths)).key == key
    assert stored() == {"a": "h0", "b": "h1", "c": "h2"}


def test_paths_under_a_root_that_has_moved(
    manifest: ManifestVersion, workspace: Workspace, tmp_path: Path
) -> None:
    (Path(str(workspace.root)) / "asrdq.yaml").write_text("audio_root: /moved\n")
    file = tmp_path / "r1.jsonl"
    file.write_text(by_path("/moved/x/a.wav", "/moved/x/b.wav", "/audio/y/c.wav"))
    moved = Workspace.open(workspace.root)
    assert load_hypotheses(moved, manifest, file, name="r1").key == "audio path"


def test_ids_go_before_paths(manifest: ManifestVersion, load: Any, stored: Any) -> None:
    rows = [
        {"utt_id": "a", "path": "x/b.wav", "hyp": "of a"},
        {"utt_id": "b", "path": "x/a.wav", "hyp": "of b"},
        {"utt_id": "c", "path": "y/c.wav", "hyp": "of c"},
    ]
    result = load(manifest, "r1.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert (result.key, stored()["a"]) == ("id", "of a")


def test_ids_that_are_file_names(ingest: Any, workspace: Any, load: Any) -> None:
    made = [{"audio_filepath": f"x/{name}.wav", "text": name} for name in ("a", "b.v1")]
    result = load(ingest(made), "r1.trn", "of a (a)\nof b (b.v1)\n")
    assert result.key == "id as file name without its suffix"
    found = workspace.query("SELECT text, hypothesis FROM eval JOIN hypotheses USING (utt_id)")
    assert sorted(found.to_pylist(), key=str) == [
        {"text": "a", "hypothesis": "of a"},
        {"text": "b.v1", "hypothesis": "of b"},
    ]


def test_a_name_that_two_clips_have_joins_nothing(ingest: Any, load: Any) -> None:
    rows = [{"audio_filepath": path, "text": ""} for path in ("x/a.wav", "y/a.wav", "y/c.wav")]
    with pytest.raises(
        DataError, match=r"2 of 3 clips .* 1 of 2 hypotheses have no clip"
    ) as caught:
        load(ingest(rows), "r1.jsonl", by_path("a.wav", "c.wav"))
    assert "r1.jsonl:1: no clip of 'a.wav'" in str(caught.value)


def test_a_name_that_two_rows_have_is_refused(manifest: ManifestVersion, load: Any) -> None:
    with pytest.raises(DataError, match="1 clips have more than one hypothesis") as caught:
        load(manifest, "r1.jsonl", by_path("p/a.wav", "q/a.wav", "b.wav", "c.wav"))
    assert "'a.wav' stands on lines 1, 2" in str(caught.value)


def test_segments_are_joined_by_path_and_offset(ingest: Any, workspace: Any, load: Any) -> None:
    parts = [
        {"audio_filepath": "call.wav", "text": f"part {at}", "duration": 0.1, "offset": at / 10}
        for at in range(4)
    ]
    heard = [{**part, "pred_text": part["text"] + "!"} for part in reversed(parts)]
    content = "".join(json.dumps(row) + "\n" for row in heard)
    assert load(ingest(parts), "r1.jsonl", content).key == "audio path and offset"
    assert workspace.query(
        "SELECT count(*) AS n FROM eval JOIN hypotheses USING (utt_id) "
        "WHERE hypothesis = text || '!'"
    )["n"].to_pylist() == [4]


def test_duplicate_ids_are_refused_whatever_the_rule(manifest: ManifestVersion, load: Any) -> None:
    content = lines(a="x", b="y", c="z") + lines(b="again", a="again")
    for rule in ("strict", "empty", "common"):
        with pytest.raises(DataError, match="2 clips have more than one hypothesis") as caught:
            load(manifest, "r1.jsonl", content, ids=rule)
        assert "'a' stands on lines 1, 5" in str(caught.value)
        assert "'b' stands on lines 2, 4" in str(caught.value)


def test_missing_and_extra_ids(manifest: ManifestVersion, load: Any, stored: Any) -> None:
    content = lines(a="x", b=None, d="of nobody")
    with pytest.raises(DataError) as caught:
        load(manifest, "r1.jsonl", content)
    said = str(caught.value)
    assert "2 of 3 clips of eval@0 have no hypothesis, and 1 of 3 hypotheses have no clip" in said
    assert "'b'" in said and "'c'" in said and "r1.jsonl:3: no clip of 'd'" in said
    assert "--ids common" in said and "--ids empty" in said
    for rule in ("common", "empty"):
        result = load(manifest, "r1.jsonl", content, ids=rule)
        assert stored() == {"a": "x"}
        assert (result.ids.missing_ids, result.ids.extra_ids) == (("b", "c"), ("d",))
        assert "2 of 3 clips have no hypothesis" in result.notes


def test_twenty_ids_are_listed(ingest: Any, load: Any) -> None:
    clips = [{"utt_id": f"u{n:03}", "audio_filepath": f"{n}.wav", "text": ""} for n in range(100)]
    with pytest.raises(DataError, match="99 of 100 clips") as caught:
        load(ingest(clips), "r1.jsonl", lines(u000="x"))
    assert [p.message for p in caught.value.problems] == [
        f"no hypothesis of 'u{n:03}'" for n in range(1, 21)
    ]


def test_a_file_for_another_manifest(manifest: ManifestVersion, load: Any) -> None:
    for rule in ("strict", "empty", "common"):
        with pytest.raises(DataError, match="not one of 2 hypotheses belongs to a clip") as caught:
            load(manifest, "r1.jsonl", lines(p="x", q="y"), ids=rule)
        assert "the file has 'p', the manifest 'a' or 'x/a.wav'" in str(caught.value)


def test_all_hypotheses_null(manifest: ManifestVersion, load: Any) -> None:
    with pytest.raises(DataError, match="3 of 3 clips"):
        load(manifest, "r1.jsonl", lines(a=None, b=None, c=None), ids="empty")


def test_a_set_is_replaced_as_a_whole_and_others_stay(
    manifest: ManifestVersion, ingest: Any, load: Any, stored: Any, workspace: Any
) -> None:
    load(manifest, "r1.jsonl", lines(a="1", b="1", c="1"))
    load(manifest, "r2.jsonl", lines(a="2", b="2", c="2"), name="r2")
    other = ingest([{"utt_id": "a", "audio_filepath": "a.wav", "text": ""}], "other")
    load(other, "o.jsonl", lines(a="other"))
    load(manifest, "r1.jsonl", lines(a="new"), ids="common")
    rows = workspace.read("hypotheses").to_pylist()
    found = {(row["manifest"], row["hyps"], row["utt_id"]): row["hypothesis"] for row in rows}
    assert found == {
        ("eval", "r1", "a"): "new",
        **{("eval", "r2", each): "2" for each in "abc"},
        ("other", "r1", "a"): "other",
    }


def test_a_refused_file_leaves_the_set_as_it_was(
    manifest: ManifestVersion, load: Any, stored: Any, workspace: Any
) -> None:
    load(manifest, "r1.jsonl", lines(a="1", b="1", c="1"))
    with pytest.raises(DataError):
        load(manifest, "r1.jsonl", lines(a="2"))
    assert stored() == {"a": "1", "b": "1", "c": "1"}
    states = workspace.query("SELECT state FROM runs WHERE command = 'hypotheses' ORDER BY started")
    assert states["state"].to_pylist() == ["done", "failed"]


@pytest.mark.parametrize("name", ["", "r 1", "../r1", "r1=x", "a" * 65])
def test_names_of_sets(manifest: ManifestVersion, load: Any, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a set"):
        load(manifest, "r1.jsonl", lines(a="x"), name=name)


def test_an_unknown_rule(manifest: ManifestVersion, load: Any) -> None:
    with pytest.raises(UsageError, match="valid: common, empty, strict"):
        load(manifest, "r1.jsonl", lines(a="x"), ids="lenient")


@pytest.mark.parametrize(
    ("system", "key"), [("v0-5-1", "file name"), ("v0-6-0", "file name without its suffix")]
)
def test_both_systems_of_the_artie_corpus(
    workspace: Workspace, shared_data: Path, system: str, key: str
) -> None:
    corpus = shared_data / "artie"
    made = ingest_manifest(workspace, [corpus / "data" / "artie-bias-corpus.tsv"], "artie").manifest
    file = corpus / "predictions" / f"{system}.tsv"
    result = load_hypotheses(workspace, made, file, name=system)
    assert (result.format, result.key) == ("tsv", key)
    assert (result.ids.matched, result.ids.missing, result.ids.extra) == (1712, 0, 0)
    found = workspace.query(
        "SELECT audio_path, hypothesis FROM artie JOIN hypotheses USING (utt_id) ORDER BY 1"
    ).to_pylist()
    expected = sorted(
        (line.split("\t") for line in file.read_text().splitlines()[1:]),
        key=lambda cells: cells[0].rpartition(".")[0] + ".mp3",
    )
    names = [Path(row["audio_path"]).stem for row in found]
    assert names == [Path(name).stem for name, _ in expected]
    assert [row["hypothesis"] for row in found] == [text for _, text in expected]


def test_a_file_for_more_clips_than_the_manifest_has(
    manifest: ManifestVersion, load: Any, stored: Any
) -> None:
    content = lines(a="x", b="y", c="z", **{f"u{n}": "more" for n in range(50)})
    result = load(manifest, "r1.jsonl", content, ids="common")
    assert (result.key, result.ids.matched, result.ids.extra) == ("id", 3, 50)
    assert stored() == {"a": "x", "b": "y", "c": "z"}


def test_a_file_whose_name_is_not_utf8(
    manifest: ManifestVersion, workspace: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "r\udcff.jsonl"
    file.write_text(lines(a="x", b="y", c="z") + "[1]\n")
    result = load_hypotheses(workspace, manifest, file, name="r1")
    assert result.rejects["file"].to_pylist() == [str(tmp_path / "r\\xff.jsonl")]
