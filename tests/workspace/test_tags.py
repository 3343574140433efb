"""Tags: what they may be called, what they stand for, and many writers at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from asrdq.errors import UsageError
from asrdq.manifests import ingest_manifest
from asrdq.versions import list_tags, tag_version, untag
from asrdq.workspace import Workspace
from asrdq.workspace.store import COMPACT_ABOVE_FILES
from asrdq.workspace.tags import check_tag, read_tags

pytestmark = pytest.mark.slow


@pytest.fixture
def train(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A workspace with three versions of the manifest `train`, of 1, 2 and 3 rows."""
    for count in (1, 2, 3):
        rows = ({"audio_filepath": f"{i}.wav", "duration": 1.0} for i in range(count))
        file = tmp_path / "m.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        ingest_manifest(workspace, [file], "train")
    return workspace


@pytest.mark.parametrize("tag", ["audited", "v1.2", "a", "release_2026-11", "x" * 64])
def test_what_a_tag_may_be_called(tag: str) -> None:
    assert check_tag(tag) == tag


@pytest.mark.parametrize(
    "tag", ["", "3", "3rd", "Audited", "a b", "a@b", "a.", ".a", "é", "x" * 65, "latest", "a'b"]
)
def test_what_it_may_not_be_called(train: Workspace, tag: str) -> None:
    with pytest.raises(UsageError, match="cannot be a tag"):
        tag_version(train, "train@1", tag)
    assert read_tags(train.store) == []


def test_a_tag_stands_wherever_a_version_can(train: Workspace) -> None:
    made = tag_version(train, "train@1", "audited")
    assert (made.manifest, made.version) == ("train", 1)
    assert train.manifest("train@audited") == train.manifest("train@1")
    assert made.fingerprint == train.manifest("train@1").fingerprint
    counted = train.sql('SELECT count(*) AS n FROM "train@audited"').rows
    assert counted["n"].to_pylist() == [2]
    joined = train.sql('SELECT a.utt_id FROM "train@audited" a ANTI JOIN "train@0" USING (utt_id)')
    assert joined.rows.num_rows == 1


def test_the_latest_version_is_tagged_as_it_is_now(train: Workspace, tmp_path: Path) -> None:
    assert tag_version(train, "train", "v1.0").version == 2
    (tmp_path / "m.jsonl").write_text('{"audio_filepath": "z.wav"}\n')
    ingest_manifest(train, [tmp_path / "m.jsonl"], "train")
    assert train.manifest("train@v1.0").version == 2


def test_an_unknown_tag_is_told_with_the_nearest(train: Workspace) -> None:
    tag_version(train, "train@1", "audited")
    with pytest.raises(UsageError, match="did you mean 'audited'"):
        train.manifest("train@auditd")
    with pytest.raises(UsageError, match="did you mean 'audited'"):
        train.sql('FROM "train@auditd"')
    with pytest.raises(UsageError, match="has no version 9"):
        train.sql('FROM "train@9"')
    with pytest.raises(UsageError, match="neither a version number nor a tag"):
        train.manifest("train@")
    with pytest.raises(UsageError, match="no version 7"):
        tag_version(train, "train@7", "late")


def test_a_text_that_looks_like_a_tag_is_no_reference(train: Workspace) -> None:
    found = train.sql("SELECT count(*) AS n FROM train WHERE text <> 'train@example.com'").rows
    assert found["n"].to_pylist() == [3]


def test_a_tag_is_moved_only_on_demand(train: Workspace) -> None:
    tag_version(train, "train@1", "audited")
    before = train.store.open("tags").version()
    tag_version(train, "train@1", "audited")
    assert train.store.open("tags").version() == before, "nothing changed, nothing is written"
    with pytest.raises(UsageError, match=r"train@audited is version 1 already\n→ .*--move"):
        tag_version(train, "train@2", "audited")
    assert train.manifest("train@audited").version == 1
    tag_version(train, "train@2", "audited", move=True)
    assert train.manifest("train@audited").version == 2
    assert len(list_tags(train).tags) == 1


def test_a_tag_is_taken_away_and_its_version_stays(train: Workspace) -> None:
    tag_version(train, "train@1", "audited")
    tag_version(train, "train@1", "old")
    assert untag(train, "train", "audited").version == 1
    assert [tag.tag for tag in list_tags(train, "train").tags] == ["old"]
    untag(train, "train", "old")
    assert list_tags(train).tags == ()
    assert train.manifest("train@1").rows == 2
    with pytest.raises(UsageError, match="there is no tag of manifest 'train' yet"):
        untag(train, "train", "audited")
    with pytest.raises(UsageError, match="unknown manifest"):
        list_tags(train, "trian")


def test_tags_are_listed_by_manifest_and_version(train: Workspace, tmp_path: Path) -> None:
    ingest_manifest(train, [tmp_path / "m.jsonl"], "dev")
    for reference, tag in (("train@2", "b"), ("train@0", "z"), ("dev", "c"), ("train@2", "a")):
        tag_version(train, reference, tag)
    listed = list_tags(train)
    assert listed.summary().splitlines() == [
        "dev@c is dev@0",
        "train@z is train@0",
        "train@a is train@2",
        "train@b is train@2",
    ]
    assert listed.arrow()["tag"].to_pylist() == ["c", "z", "a", "b"]
    assert train.sql("SELECT count(*) AS n FROM tags").rows["n"].to_pylist() == [4]


TAGGER = """
import sys
from asrdq.versions import tag_version, untag
from asrdq.workspace import Workspace
workspace, who = Workspace.open(sys.argv[1]), sys.argv[2]
for number in range(10):
    tag_version(workspace, f"train@{number % 3}", f"{who}{number}")
    if number % 2:
        untag(workspace, "train", f"{who}{number}")
"""


@pytest.mark.slow
def test_processes_that_tag_at_once_lose_nothing(train: Workspace) -> None:
    command = [sys.executable, "-c", TAGGER, str(train.root)]
    taggers = [subprocess.Popen([*command, who]) for who in "abc"]
    assert [tagger.wait() for tagger in taggers] == [0, 0, 0]
    found = {tag.tag: tag.version for tag in read_tags(train.store)}
    assert found == {f"{who}{n}": n % 3 for who in "abc" for n in range(0, 10, 2)}


@pytest.mark.slow
def test_many_tags_are_in_few_files(train: Workspace) -> None:
    for number in range(COMPACT_ABOVE_FILES + 5):
        tag_version(train, "train@0", f"t{number}")
    table = train.store.open("tags")
    assert len(train.store.files(table, "tags")) <= COMPACT_ABOVE_FILES
    assert len(read_tags(train.store)) == COMPACT_ABOVE_FILES + 5
