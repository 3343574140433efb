"""Splits that are killed and given again: same sides, nothing half-written."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from asrdq.manifests import ingest_manifest
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

Kill = Callable[["subprocess.Popen[bytes]", float], bool]

POINTS = 8
ROWS, GROWN = 40_000, 60_000
SPEAKERS = 900
SIDES = ("train_train", "train_validation", "train_test")
Contents = dict[str, list[tuple[str, int]]]


def split(workspace: Path) -> list[str]:
    """Return the command line of a split with groups and strata."""
    sizes = ["--side", "validation=10%", "--side", "test=10%"]
    mixture = ["--strata", "domain", "--disjoint", "speaker", "--workspace", str(workspace)]
    return [sys.executable, "-m", "asrdq", "split", "train", *sizes, *mixture]


def start(workspace: Path) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    return subprocess.Popen(split(workspace), stdout=null, stderr=null, start_new_session=True)


def ingest(workspace: Workspace, rows: int) -> None:
    file = workspace.root / "m.jsonl"
    with file.open("w") as lines:
        for number in range(rows):
            row = {
                "audio_filepath": f"/a/{number}.wav",
                "duration": 1.5,
                "speaker": f"s{number * 7919 % SPEAKERS}",
                "domain": ("phone", "studio", "street")[number % 3],
            }
            lines.write(json.dumps(row) + "\n")
    ingest_manifest(workspace, [file], "train")


def contents(workspace: Workspace) -> Contents:
    """Return the versions of each side, having checked that each is whole."""
    found = {}
    for side in SIDES:
        versions = workspace.history(side)
        for version in versions:
            ids = workspace.scan(version, columns=["utt_id"])["utt_id"]
            assert len(ids.unique()) == version.rows
        found[side] = [(version.fingerprint, version.rows) for version in versions]
    return found


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose manifest grew after it was split."""
    folder = tmp_path_factory.mktemp("split") / "grown"
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    ingest(workspace, ROWS)
    subprocess.run(split(folder), check=True)
    ingest(workspace, GROWN)
    return folder


@pytest.fixture(scope="module")
def undisturbed(grown: Path) -> tuple[Contents, float]:
    """What a second split leaves that nobody disturbs, and how long it takes."""
    folder = grown.with_name("calm")
    shutil.copytree(grown, folder)
    started = time.monotonic()
    subprocess.run(split(folder), check=True)
    whole_s = time.monotonic() - started
    found = contents(Workspace.open(folder))
    assert {side: len(versions) for side, versions in found.items()} == dict.fromkeys(SIDES, 2)
    return found, whole_s


def check_run_again(folder: Path, expected: Contents, seed: str) -> None:
    """Check what the killed split left, and that the same command makes it whole."""
    workspace = Workspace.open(folder)
    for side, versions in contents(workspace).items():
        assert versions in (expected[side][:1], expected[side]), (side, seed)
    subprocess.run(split(folder), check=True)
    assert contents(workspace) == expected, seed
    [newest] = workspace.query(
        "SELECT run_id FROM runs WHERE command = 'split' ORDER BY started DESC LIMIT 1"
    )["run_id"].to_pylist()
    totals = workspace.query(
        "SELECT side_manifest, rows FROM splits WHERE stratum IS NULL AND run_id = $run",
        {"run": newest},
    ).to_pylist()
    assert {row["side_manifest"]: row["rows"] for row in totals} == {
        side: versions[-1][1] for side, versions in expected.items()
    }, seed
    assert list(workspace.store.layout.staging.iterdir()) == [], seed
    for side in SIDES:
        known = {
            path
            for version in workspace.history(side)
            for path in workspace.store.files(
                workspace.store.open(version.table, version.version), version.table
            )
        }
        stored = workspace.store.layout.table(f"manifests/{side}").glob("*.parquet")
        assert {str(path) for path in stored} == known, seed


@pytest.mark.parametrize("point", range(POINTS))
def test_a_split_killed_and_given_again(
    grown: Path, undisturbed: tuple[Contents, float], kill: Kill, tmp_path: Path, point: int
) -> None:
    expected, whole_s = undisturbed
    seed = f"{os.environ.get('ASRDQ_KILL_SEED', 'split')}-{point}"
    shutil.copytree(grown, tmp_path / "ws")
    kill(start(tmp_path / "ws"), random.Random(seed).uniform(0.3, 1.0) * whole_s)
    check_run_again(tmp_path / "ws", expected, seed)


def test_a_split_killed_when_its_first_side_is_there(
    grown: Path, undisturbed: tuple[Contents, float], kill: Kill, tmp_path: Path
) -> None:
    folder = tmp_path / "ws"
    shutil.copytree(grown, folder)
    table = Workspace.open(folder).store.layout.table(f"manifests/{SIDES[0]}")
    commits = len(list((table / "_delta_log").glob("*.json")))
    process = start(folder)
    while process.poll() is None and len(list((table / "_delta_log").glob("*.json"))) == commits:
        os.sched_yield()
    assert kill(process, 0), "the split ended before it could be killed"
    assert Workspace.open(folder).manifest(SIDES[0]).rows == undisturbed[0][SIDES[0]][-1][1]
    check_run_again(folder, undisturbed[0], "first side")
