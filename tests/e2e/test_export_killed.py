"""Exports with audio that are killed at random points and run again."""

from __future__ import annotations

import json
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
PIECES = 39


def prepared(folder: Path, data_samples: Path) -> Path:
    """A workspace with the sample clips, each whole and in pieces."""
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()
    rows = []
    for row in map(json.loads, lines):
        piece_s = row["duration"] / PIECES
        path = str(data_samples / row["audio_filepath"])
        rows.append({"audio_filepath": path, "text": "x", "utt_id": row["utt_id"]})
        for n in range(PIECES):
            cut = {"offset": n * piece_s, "duration": piece_s, "utt_id": f"{row['utt_id']}-{n}"}
            rows.append({"audio_filepath": path, "text": "x", **cut})
    Workspace.init(folder)
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingest_manifest(Workspace.open(folder), [folder / "train.jsonl"], "train")
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


def finished(folder: Path) -> float:
    """Run an export to its end and return how long it took."""
    started = time.monotonic()
    assert start(folder).wait() == 0
    return time.monotonic() - started


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
    whole_s, known_s = finished(calm), finished(calm)
    expected = tree(calm)
    everything = len(kept(calm))

    disturbed = prepared(tmp_path, data_samples)
    sure: dict[str, int] = {}
    kills, on_the_way = 0, set()
    for _ in range(3 * KILLS):
        # While clips are left to convert, and with all of them converted while files are written.
        left = 1.0 - len(sure) / everything
        after_s = chance.uniform(0.3, 0.9) * (known_s + left * (whole_s - known_s))
        kills += kill(start(disturbed), after_s)
        now = kept(disturbed)
        assert now.items() >= sure.items(), f"{seed}, kill {kills}: converted again"
        sure = now
        on_the_way.add(len(sure))
        if kills == KILLS:
            break
    assert kills == KILLS, seed
    assert on_the_way - {0, everything}, f"{seed}: never killed with some clips converted"
    finished(disturbed)
    assert tree(disturbed) == expected, seed
    assert kept(disturbed).items() >= sure.items(), seed
