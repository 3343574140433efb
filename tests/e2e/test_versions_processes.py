"""Derivations and tags that are killed, and several processes at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from asrdq.manifests import ingest_manifest
from asrdq.versions import derive_manifest, tag_version
from asrdq.workspace import Workspace
from asrdq.workspace.tags import read_tags

pytestmark = pytest.mark.slow

POINTS = 10
ROWS = 60_000
QUERY = "SELECT * REPLACE (CASE take WHEN 3 THEN NULL ELSE audio_path END AS audio_path) FROM train"


def command(workspace: Path, *arguments: object) -> list[str]:
    """Return the command line of asrdq in a workspace."""
    return [sys.executable, "-m", "asrdq", *map(str, arguments), "--workspace", str(workspace)]


def derive(workspace: Path, query: str = QUERY) -> list[str]:
    return command(workspace, "derive", "clean", query, "--max-reject-share", 0.5)


def make(folder: Path) -> Workspace:
    """Make a workspace with `train`, and a first version of `clean` that must not be lost."""
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    file = folder / "m.jsonl"
    with file.open("w") as lines:
        for number in range(ROWS):
            row = {"audio_filepath": f"/a/{number}.wav", "duration": 1.5, "take": number % 7}
            lines.write(json.dumps(row) + "\n")
    ingest_manifest(workspace, [file], "train")
    derive_manifest(workspace, "clean", "SELECT * FROM train WHERE take = 0")
    return workspace


def kill_within(seconds: float, arguments: list[str], *, seed: str) -> None:
    """Run a command and kill it at a random moment of that time, unless it ends before."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(random.Random(seed).uniform(0.2, 1.0) * seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


def contents(workspace: Workspace) -> list[tuple[str, int]]:
    """Return the versions of `clean`, having checked that each is whole."""
    versions = workspace.history("clean")
    for version in versions:
        assert workspace.scan(version, columns=["utt_id"]).num_rows == version.rows
    return [(version.fingerprint, version.rows) for version in versions]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, float]:
    """What a derivation leaves that nobody disturbs, and how long it takes."""
    workspace = make(tmp_path_factory.mktemp("calm"))
    started = time.monotonic()
    subprocess.run(derive(workspace.root), check=True)
    return contents(workspace), time.monotonic() - started


@pytest.mark.parametrize("point", range(POINTS))
def test_a_derivation_killed_and_run_again(
    undisturbed: tuple[Any, float], tmp_path: Path, point: int
) -> None:
    expected, whole_s = undisturbed
    seed = f"{os.environ.get('ASRDQ_KILL_SEED', 'derive')}-{point}"
    workspace = make(tmp_path)
    kill_within(whole_s, derive(tmp_path), seed=seed)
    assert contents(workspace) in (expected[:1], expected), seed
    subprocess.run(derive(tmp_path), check=True)
    assert contents(workspace) == expected, seed
    assert workspace.manifest("train").version == 0
    finished = workspace.query(
        "SELECT run_id FROM runs WHERE command = 'derive' AND state = 'done'"
    ).num_rows
    rejected = sum(number % 7 == 3 for number in range(ROWS))
    # The first derivation of all rejected nothing; one that came through left its rejects.
    assert workspace.read("rejects").num_rows == (finished - 1) * rejected, seed
    assert list(workspace.store.layout.staging.iterdir()) == [], seed
    folder = workspace.store.layout.table("manifests/clean")
    assert {str(path) for path in folder.glob("*.parquet")} == {
        path
        for version in workspace.history("clean")
        for path in workspace.store.files(
            workspace.store.open(version.table, version.version), version.table
        )
    }, seed


def test_one_manifest_derived_by_three_at_once(tmp_path: Path) -> None:
    workspace = make(tmp_path)
    queries = [f"SELECT * FROM train WHERE take = {take}" for take in (1, 2, 3)]
    runs = [subprocess.Popen(derive(tmp_path, query)) for query in queries]
    assert [run.wait() for run in runs] == [0, 0, 0]
    found = {}
    for version in workspace.history("clean")[1:]:
        takes = set(workspace.scan(version, columns=["take"])["take"].to_pylist())
        assert version.lineage is not None
        assert version.lineage.query == queries[takes.pop() - 1]
        assert takes == set()
        found[version.lineage.query] = version.version
    assert sorted(found.values()) == [1, 2, 3]


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, float]:
    """A workspace with the tag `first`, and how long it takes to tag from the command line."""
    workspace = make(tmp_path_factory.mktemp("tagged"))
    tag_version(workspace, "train@0", "first")
    started = time.monotonic()
    subprocess.run(command(workspace.root, "tag", "train@0", "timed"), check=True)
    return workspace, time.monotonic() - started


@pytest.mark.parametrize("point", range(POINTS))
def test_a_tag_killed_and_given_again(tagged: tuple[Workspace, float], point: int) -> None:
    workspace, whole_s = tagged
    seed = f"{os.environ.get('ASRDQ_KILL_SEED', 'tag')}-{point}"
    before = {tag.tag for tag in read_tags(workspace.store)}
    arguments = command(workspace.root, "tag", "train@0", f"point{point}")
    kill_within(whole_s, arguments, seed=seed)
    after = {tag.tag for tag in read_tags(workspace.store)}
    assert after in (before, before | {f"point{point}"}), seed
    subprocess.run(arguments, check=True)
    assert {tag.tag for tag in read_tags(workspace.store)} == before | {f"point{point}"}, seed
    assert workspace.manifest(f"train@point{point}").version == 0
