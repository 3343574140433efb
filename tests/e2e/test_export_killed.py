"""Exports with audio that are killed at random points and run again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from asrdq.manifests import ingest_manifest
from asrdq.workspace import Workspace

Kill = Callable[["subprocess.Popen[bytes]", float], bool]

KILLS = 8


def prepared(folder: Path, data_samples: Path) -> Path:
    """A workspace with all sample clips and a folder for the export."""
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    source = data_samples / "manifest.jsonl"
    ingest_manifest(workspace, [source], "train", audio_root=data_samples)
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start an export in a session of its own, so that its processes can be told apart."""
    command = [sys.executable, "-m", "asrdq", "export", "train", "--audio", "wav16k"]
    return subprocess.Popen(
        [*command, "--format", "kaldi", "--relative", "--out", "out", "--workers", "2"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def tree(folder: Path) -> dict[str, bytes]:
    """The name and content of every file of the export."""
    files = (path for path in (folder / "out").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def kept(folder: Path) -> dict[str, int]:
    """The files that count as converted, with their inodes."""
    cache = folder / "tables/cache/converted"
    if not DeltaTable.is_deltatable(str(cache)):
        return {}
    names = DeltaTable(cache).to_pyarrow_table()["name"].to_pylist()
    assert len(names) == len(set(names))
    return {name: (folder / "out" / "audio" / name).stat().st_ino for name in names}


@pytest.mark.slow
def test_killed_at_random_points_and_run_again(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    data_samples: Path,
    kill: Kill,
) -> None:
    seed = os.environ.get("ASRDQ_KILL_SEED", "kill")
    chance = random.Random(seed)
    calm = prepared(tmp_path_factory.mktemp("calm"), data_samples)
    started = time.monotonic()
    assert start(calm).wait() == 0
    whole_s = time.monotonic() - started
    expected = tree(calm)
    assert len(kept(calm)) == 80

    disturbed = prepared(tmp_path, data_samples)
    sure: dict[str, int] = {}
    kills = 0
    for _ in range(3 * KILLS):
        kills += kill(start(disturbed), chance.uniform(0.2, 1.0) * whole_s)
        now = kept(disturbed)
        assert now.items() >= sure.items(), f"{seed}, kill {kills}: converted again"
        sure = now
        if kills == KILLS:
            break
    assert kills == KILLS, seed
    assert start(disturbed).wait() == 0
    assert tree(disturbed) == expected, seed
    assert kept(disturbed).items() >= sure.items(), seed
