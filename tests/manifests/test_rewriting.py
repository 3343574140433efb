"""Paths rewritten for another machine: what is mapped, what is proven, what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.manifests import (
    PathMap,
    Rewriting,
    export_manifest,
    ingest_manifest,
    listed_in,
    missing_here,
)
from asrdq.workspace import ManifestVersion, Workspace


@pytest.mark.parametrize(
    ("pairs", "path", "placed"),
    [
        (["/data=/mnt"], "/data/a.wav", "/mnt/a.wav"),
        (["/data=/mnt"], "/database/a.wav", "/database/a.wav"),
        (["/data=/mnt"], "/data", "/mnt"),
        (["/data/=/mnt//x/../"], "/data/a.wav", "/mnt/a.wav"),
        (["/data=/mnt", "/data/old=/archive"], "/data/old/a.wav", "/archive/a.wav"),
        (["/data/old=/archive", "/data=/mnt"], "/data/older/a.wav", "/mnt/older/a.wav"),
        (["/=/mnt"], "/a.wav", "/mnt/a.wav"),
        (["/data=/"], "/data/a.wav", "/a.wav"),
        (["/data=s3://bucket/x/"], "/data/a.wav", "s3://bucket/x/a.wav"),
        (["s3://bucket=/mnt"], "s3://bucket/a.wav", "/mnt/a.wav"),
        (["s3://bucket=/mnt"], "s3://bucket-2/a.wav", "s3://bucket-2/a.wav"),
        (["/data/lang=en=/mnt"], "/data/lang=en/a.wav", "/mnt/a.wav"),
        (["/data=/mnt/lang=en"], "/data/a.wav", "/mnt/lang=en/a.wav"),
    ],
)
def test_the_longest_prefix_of_whole_components_counts(
    pairs: list[str], path: str, placed: str
) -> None:
    assert PathMap.parse(pairs).place(path) == placed


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        (["/data"], "is not PREFIX=PREFIX"),
        (["data=/mnt"], "is not PREFIX=PREFIX"),
        (["/data=mnt"], "is not PREFIX=PREFIX"),
        (["=/mnt"], "is not PREFIX=PREFIX"),
        (["/a=/b=/c"], "several ways"),
        (["/a=/b", "/a/=/c"], "mapped twice"),
        (["/a=/b\n"], "characters"),
        (["/a=/b\udcff"], "characters"),
    ],
)
def test_maps_that_cannot_be(pairs: list[str], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        PathMap.parse(pairs)


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    """Two clips of the same name in two folders."""
    for folder in ("one", "two"):
        (tmp_path / "laptop" / folder).mkdir(parents=True)
        (tmp_path / "laptop" / folder / "a.wav").write_bytes(b"RIFF")
    return tmp_path / "laptop"


@pytest.fixture
def version(workspace: Workspace, laptop: Path) -> ManifestVersion:
    """A manifest of them; one path goes through `..`."""
    paths = [str(laptop / "one" / "a.wav"), f"{laptop}/one/../two/a.wav"]
    lines = [json.dumps({"audio_filepath": path, "text": "x"}) + "\n" for path in paths]
    (laptop / "m.jsonl").write_text("".join(lines))
    return ingest_manifest(workspace, [laptop / "m.jsonl"], "m").manifest


Export = Callable[..., list[str]]


@pytest.fixture
def export(workspace: Workspace, version: ManifestVersion, tmp_path: Path) -> Export:
    """Export with a map, and return the paths that were written."""

    def run(*pairs: str, format_name: str = "nemo", **options: object) -> list[str]:
        rewriting = Rewriting(PathMap.parse(pairs), **options)  # type: ignore[arg-type]
        out = tmp_path / "out.jsonl"
        export_manifest(workspace, version, format_name, out, rewriting=rewriting)
        return [json.loads(line)["audio_filepath"] for line in out.read_text().splitlines()]

    return run


def test_in_the_container_paths_are_looked_up(export: Export, laptop: Path, tmp_path: Path) -> None:
    (tmp_path / "container").symlink_to(laptop)
    assert export(f"{laptop}={tmp_path}/container") == [
        f"{tmp_path}/container/one/a.wav",
        f"{tmp_path}/container/two/a.wav",
    ]


def test_a_missing_path_fails_and_is_listed(export: Export, laptop: Path, tmp_path: Path) -> None:
    (tmp_path / "container" / "one").mkdir(parents=True)
    (tmp_path / "container" / "one" / "a.wav").touch()
    (tmp_path / "container" / "two" / "a.wav").mkdir(parents=True)  # a folder is no audio
    listed = tmp_path / "out.jsonl.missing.txt"
    with pytest.raises(DataError, match="1 of 2 rewritten audio paths do not exist") as raised:
        export(f"{laptop}={tmp_path}/container")
    assert [item.message for item in raised.value.problems] == [f"{tmp_path}/container/two/a.wav"]
    assert listed.read_text() == f"{tmp_path}/container/two/a.wav\n"
    assert not (tmp_path / "out.jsonl").exists()
    (tmp_path / "container" / "two" / "a.wav").rmdir()
    (tmp_path / "container" / "two" / "a.wav").touch()
    export(f"{laptop}={tmp_path}/container")
    assert not listed.exists()


@pytest.mark.parametrize("end", ["\n", "\0", "\r\n"])
def test_a_listing_of_the_other_side(
    export: Export, laptop: Path, tmp_path: Path, end: str
) -> None:
    listing = tmp_path / "files.txt"
    there = ["/data/one/a.wav", "/data/\udcff.wav", "/data/two/a.wav"]
    listing.write_bytes(os.fsencode(end.join(there)))
    assert export(f"{laptop}=/data", check=listed_in(listing)) == [there[0], there[2]]
    listing.write_bytes(os.fsencode(end.join(there[:2]) + end))
    with pytest.raises(DataError, match="1 of 2"):
        export(f"{laptop}=/data", check=listed_in(listing))


@pytest.mark.parametrize(
    ("content", "problem"), [("one/a.wav\n", "line 1 is not a whole path"), ("", "is empty")]
)
def test_a_listing_that_is_none(
    export: Export, laptop: Path, tmp_path: Path, content: str, problem: str
) -> None:
    (tmp_path / "files.txt").write_text(content)
    with pytest.raises(UsageError, match=problem):
        export(f"{laptop}=/data", check=listed_in(tmp_path / "files.txt"))
    with pytest.raises(UsageError, match="cannot be read"):
        export(f"{laptop}=/data", check=listed_in(tmp_path / "absent.txt"))


def test_an_address_is_no_file_here(tmp_path: Path) -> None:
    assert missing_here({"s3://bucket/a.wav"}, lambda _: None) == {"s3://bucket/a.wav"}


def test_unmapped_paths_are_an_error_unless_they_may_stay(export: Export, laptop: Path) -> None:
    with pytest.raises(DataError, match="1 of 2 audio paths have none") as raised:
        export(f"{laptop}/one={laptop}/two")
    assert [item.message for item in raised.value.problems] == [f"{laptop}/two/a.wav"]
    kept = export(f"{laptop}/one=/data", keep_unmapped=True, check=None)
    assert kept == ["/data/a.wav", f"{laptop}/two/a.wav"]


def test_a_path_that_is_kept_has_to_exist_too(export: Export, laptop: Path, tmp_path: Path) -> None:
    (tmp_path / "files.txt").write_text("/data/a.wav\n")
    with pytest.raises(DataError, match="1 of 2") as raised:
        export(f"{laptop}/one=/data", keep_unmapped=True, check=listed_in(tmp_path / "files.txt"))
    assert raised.value.problems[0].message == f"{laptop}/two/a.wav"


def test_two_files_never_become_one(export: Export, laptop: Path) -> None:
    with pytest.raises(DataError, match="2 audio paths become one"):
        export(f"{laptop}/one=/data", f"{laptop}/two=/data", check=None)


def test_what_a_person_should_know_is_said(
    workspace: Workspace, version: ManifestVersion, laptop: Path, tmp_path: Path
) -> None:
    rewriting = Rewriting(
        PathMap.parse([f"{laptop}/one=/data", "/never=/x"]), keep_unmapped=True, check=None
    )
    made = export_manifest(workspace, version, "csv", tmp_path / "o.csv", rewriting=rewriting)
    assert made.notes == (
        "nobody looked whether the rewritten paths exist (--unchecked)",
        "1 audio paths have no mapped prefix and are left as they are",
        "no audio path begins with /never, which is mapped",
    )


@pytest.mark.parametrize("format_name", ["ljspeech", "stm", "trn", "commonvoice"])
def test_formats_without_whole_paths(export: Export, laptop: Path, format_name: str) -> None:
    with pytest.raises(UsageError, match="no place for whole paths"):
        export(f"{laptop}=/data", format_name=format_name, check=None)


def test_relative_paths_are_not_mapped(
    workspace: Workspace, version: ManifestVersion, laptop: Path, tmp_path: Path
) -> None:
    rewriting = Rewriting(PathMap.parse([f"{laptop}=/data"]), check=None)
    with pytest.raises(UsageError, match="relative"):
        export_manifest(
            workspace, version, "nemo", tmp_path / "o", relative=True, rewriting=rewriting
        )


@pytest.mark.parametrize("way", ["same", "symlink", "hardlink"])
def test_a_source_is_never_written_over(
    workspace: Workspace, version: ManifestVersion, laptop: Path, tmp_path: Path, way: str
) -> None:
    source, out = laptop / "m.jsonl", tmp_path / "link.jsonl"
    before = source.read_bytes()
    if way == "same":
        out = source
    elif way == "symlink":
        out.symlink_to(source)
    else:
        out.hardlink_to(source)
    with pytest.raises(UsageError, match="never written over"):
        export_manifest(workspace, version, "nemo", out)
    assert source.read_bytes() == before


def test_a_file_of_a_source_folder_is_never_written_over(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "kaldi"
    folder.mkdir()
    (folder / "wav.scp").write_text("a /x/a.wav\n")
    (folder / "text").write_text("a words\n")
    made = ingest_manifest(workspace, [folder], "k").manifest
    with pytest.raises(UsageError, match="never written over"):
        export_manifest(workspace, made, "csv", folder / "text")
    assert (folder / "text").read_text() == "a words\n"
