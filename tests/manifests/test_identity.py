"""Ids and fingerprints: what changes them and what does not."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asrdq.manifests.ingest import ingest_manifest
from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

slow = settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
rows = st.lists(
    st.fixed_dictionaries(
        {"text": words, "duration": st.floats(0, 100, exclude_min=True)},
        optional={"offset": st.floats(0, 100), "lang": st.sampled_from(["en", "de", ""])},
    ),
    min_size=1,
    max_size=6,
)


def make(
    workspace: Workspace, folder: Path, lines: list[dict[str, Any]], **options: Any
) -> ManifestVersion:
    """Ingest lines as a manifest of a name of its own and return it."""
    name = f"m{len(workspace.manifests())}"
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return ingest_manifest(workspace, [file], name, **options).manifest


def at(root: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give lines an audio path each, under a root."""
    return [{"audio_filepath": f"{root}/{i}.wav", **line} for i, line in enumerate(lines)]


@slow
@given(rows, st.randoms(use_true_random=False))
def test_order_and_mount_change_nothing(
    workspace: Workspace, tmp_path: Path, lines: list[dict[str, Any]], rng: random.Random
) -> None:
    here = make(workspace, tmp_path, at("/mnt/a", lines), audio_root=Path("/mnt/a"))
    shuffled = at("/data", lines)
    rng.shuffle(shuffled)
    there = make(workspace, tmp_path, shuffled, audio_root=Path("/data"))
    assert here.fingerprint == there.fingerprint
    ids = [set(workspace.scan(made)["utt_id"].to_pylist()) for made in (here, there)]
    assert ids[0] == ids[1]


CHANGES = [
    ("text", "other"),
    ("duration", 99.0),
    ("offset", 0.25),
    ("offset", 0.0),
    ("lang", "fr"),
    ("audio_filepath", "/mnt/a/other.wav"),
]


@slow
@given(rows, st.sampled_from(CHANGES), st.data())
def test_any_change_of_content_changes_the_fingerprint(
    workspace: Workspace,
    tmp_path: Path,
    lines: list[dict[str, Any]],
    change: tuple[str, object],
    data: st.DataObject,
) -> None:
    field, value = change
    before = at("/mnt/a", lines)
    after = [dict(line) for line in before]
    changed = data.draw(st.sampled_from(after))
    if changed.get(field) == value:
        return
    changed[field] = value
    root = Path("/mnt/a")
    prints = {
        make(workspace, tmp_path, each, audio_root=root).fingerprint for each in (before, after)
    }
    assert len(prints) == 2


def test_text_cannot_pass_for_another_field(workspace: Workspace, tmp_path: Path) -> None:
    base = {"audio_filepath": "/a/1.wav", "duration": 1}
    one = make(workspace, tmp_path, [{**base, "lang": "en", "text": "x"}])
    two = make(workspace, tmp_path, [{**base, "text": "en\x1fx"}])
    three = make(workspace, tmp_path, [{**base, "lang": "", "text": "en\x1fx"}])
    assert len({one.fingerprint, two.fingerprint, three.fingerprint}) == 3


def test_an_id_is_the_hash_of_the_relative_path(workspace: Workspace, tmp_path: Path) -> None:
    lines = [
        {"audio_filepath": "/mnt/a/b/1.wav", "offset": 0},
        {"audio_filepath": "/mnt/a/c/2.wav"},
    ]
    made = make(workspace, tmp_path, lines)
    assert made.audio_root == "/mnt/a"
    expected = [hashlib.md5(path).hexdigest()[:20] for path in (b"b/1.wav", b"c/2.wav")]
    assert workspace.scan(made)["utt_id"].to_pylist() == expected


def test_segments_of_one_recording_differ_by_offset(workspace: Workspace, tmp_path: Path) -> None:
    lines = [{"audio_filepath": "r.wav", "offset": offset, "duration": 2} for offset in (0, 2, 4)]
    made = make(workspace, tmp_path, lines)
    assert len(set(workspace.scan(made)["utt_id"].to_pylist())) == 3


@pytest.mark.parametrize("path", ["x/./1.wav", "./x/1.wav", "x//1.wav", "x/y/../1.wav"])
def test_untidy_paths_name_the_same_clip(workspace: Workspace, tmp_path: Path, path: str) -> None:
    tidy = make(workspace, tmp_path, [{"audio_filepath": "x/1.wav"}])
    untidy = make(workspace, tmp_path, [{"audio_filepath": path}])
    assert tidy.fingerprint == untidy.fingerprint


def test_ids_stay_when_rows_from_elsewhere_are_added(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "m.jsonl"
    old = [{"audio_filepath": f"/data/one/{i}.wav"} for i in range(3)]
    new = [{"audio_filepath": f"/data/two/{i}.wav"} for i in range(3)]
    file.write_text("".join(json.dumps(line) + "\n" for line in old))
    first = ingest_manifest(workspace, [file], "train").manifest
    file.write_text("".join(json.dumps(line) + "\n" for line in old + new))
    second = ingest_manifest(workspace, [file], "train").manifest
    ids = [workspace.scan(made)["utt_id"].to_pylist() for made in (first, second)]
    assert ids[1][:3] == ids[0]
    assert second.audio_root == first.audio_root == "/data/one"


def test_the_root_widens_over_files_and_ids_follow(workspace: Workspace, tmp_path: Path) -> None:
    one, two = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    one.write_text('{"audio_filepath": "/data/one/1.wav"}\n{"audio_filepath": "/data/one/2.wav"}\n')
    two.write_text('{"audio_filepath": "/data/two/1.wav", "id": "own"}\n')
    made = ingest_manifest(workspace, [one, two], "train").manifest
    assert made.audio_root == "/data"
    whole = tmp_path / "whole.jsonl"
    whole.write_text(one.read_text() + two.read_text())
    assert ingest_manifest(workspace, [whole], "other").manifest.fingerprint == made.fingerprint


def test_relative_paths_of_two_folders(workspace: Workspace, tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        files.append(tmp_path / name / "m.jsonl")
        files[-1].write_text('{"audio_filepath": "x.wav"}\n')
    made = ingest_manifest(workspace, files, "train").manifest
    paths = workspace.scan(made)["audio_path"].to_pylist()
    found = [workspace.audio_file(made, path) for path in paths]
    assert found == [str(tmp_path / "a" / "x.wav"), str(tmp_path / "b" / "x.wav")]
