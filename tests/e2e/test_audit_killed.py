"""Audits that are killed at random points and run again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from asrdq.manifests import ingest_manifest
from asrdq.workspace import Workspace

Kill = Callable[["subprocess.Popen[bytes]", float], bool]

KILLS = 10
CLIPS = 24

TABLES = ("audits", "alignments", "word_spans", "fault_trials", "detections", "calibrations")


def prepared(folder: Path, data_samples: Path) -> Workspace:
    """A workspace that audits the shortest sample clips, faulty ones among them."""
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: row["duration"])[:CLIPS]
    for row in rows:
        row["audio_filepath"] = str(data_samples / row["audio_filepath"])
    Workspace.init(folder)
    (folder / "asrdq.yaml").write_text("sampling:\n  fraction: 1.0\n  strata: domain\n")
    manifest = folder / "train.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    workspace = Workspace.open(folder)
    ingest_manifest(workspace, [manifest], "train")
    return Workspace.open(folder)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start an audit in a session of its own, so that its processes can be told apart."""
    command = [sys.executable, "-m", "asrdq", "audit", "train", "--workers", "2"]
    return subprocess.Popen(
        [*command, "--workspace", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def finished(folder: Path) -> float:
    """Run an audit to its end and return how long it took."""
    started = time.monotonic()
    assert start(folder).wait() == 0
    return time.monotonic() - started


def outcome(workspace: Workspace) -> dict[str, Any]:
    """Return every table of the newest finished audit, without its run id."""
    runs = workspace.query(
        "SELECT run_id FROM runs WHERE command = 'audit' AND state = 'done' "
        "ORDER BY started DESC LIMIT 1"
    )
    run_id = runs["run_id"][0].as_py()
    found = {}
    for name in TABLES:
        rows = workspace.read(name, where=f"run_id = '{run_id}'").drop_columns(["run_id"])
        found[name] = sorted(rows.to_pylist(), key=str)
    return found


def cached_keys(workspace: Workspace) -> list[str]:
    """Return the key of every alignment that was ever kept."""
    folder = workspace.root / "tables/cache/alignments"
    if not DeltaTable.is_deltatable(str(folder)):
        return []
    return [str(key) for key in DeltaTable(folder).to_pyarrow_table()["key"].to_pylist()]


@pytest.mark.slow(minutes=2)
def test_killed_at_ten_random_points_and_run_again(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    data_samples: Path,
    kill: Kill,
) -> None:
    seed = os.environ.get("ASRDQ_KILL_SEED", "kill")
    chance = random.Random(seed)
    calm = prepared(tmp_path_factory.mktemp("calm"), data_samples)
    whole_s = finished(calm.root)
    cached_s = finished(calm.root)
    expected = outcome(calm)
    assert all(expected[name] for name in TABLES)
    assert {row["fitted_on"] for row in expected["calibrations"]} == {"all strata"}

    disturbed = prepared(tmp_path, data_samples)
    everything = set(cached_keys(calm))
    kept: set[str] = set()
    kills = 0
    for _ in range(3 * KILLS):
        # While clips are left to align, and with all of them cached while tables are written.
        left = 1.0 - len(kept) / len(everything)
        after_s = chance.uniform(0.1, 0.8) * (cached_s + left * (whole_s - cached_s))
        kills += kill(start(disturbed.root), after_s)
        known = cached_keys(disturbed)
        assert kept <= set(known) and len(known) == len(set(known)), f"{seed}, kill {kills}"
        kept = set(known)
        if kills == KILLS:
            break
    assert kills == KILLS, seed

    finished(disturbed.root)
    assert outcome(disturbed) == expected, seed
    keys = cached_keys(disturbed)
    assert len(keys) == len(set(keys)), seed
    assert set(keys) == everything, seed
