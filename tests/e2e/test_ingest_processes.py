"""Ingests that are killed, and several processes at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from asrdq.manifests.ingest import ingest_manifest
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

POINTS = 10
ROWS = 40_000


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest with a few bad lines."""
    file = tmp_path_factory.mktemp("manifest") / "m.jsonl"
    with file.open("w") as lines:
        for number in range(ROWS):
            row: dict[str, Any] = {"audio_filepath": f"/a/{number}.wav", "duration": 1.5}
            row |= {"text": f"words {number}", "take": number % 7}
            if number % 1000 == 500:
                row["duration"] = -1
            if number == ROWS // 2:
                row["late"] = "x"
            lines.write(json.dumps(row) + "\n")
    return file


def command(workspace: Path, *arguments: object) -> list[str]:
    """Return the command line of asrdq in a workspace."""
    return [sys.executable, "-m", "asrdq", *map(str, arguments), "--workspace", str(workspace)]


def state(workspace: Workspace, names: Sequence[str]) -> dict[str, Any]:
    """Return all that an ingest leaves, without run ids and times."""
    rejects = workspace.read("rejects").drop_columns(["run_id"]).to_pylist()
    found: dict[str, Any] = {"rejects": sorted(rejects, key=str)}
    for name in names:
        versions = workspace.history(name)
        found[name] = [(version.version, version.fingerprint) for version in versions]
        found[f"{name} rows"] = sorted(workspace.scan(versions[-1]).to_pylist(), key=str)
    return found


@pytest.fixture(scope="module")
def undisturbed(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, float]:
    """What an ingest leaves that nobody disturbs, and how long it takes."""
    folder = tmp_path_factory.mktemp("calm")
    Workspace.init(folder)
    started = time.monotonic()
    subprocess.run(command(folder, "ingest", manifest, "-n", "m"), check=True)
    return state(Workspace.open(folder), ["m"]), time.monotonic() - started


@pytest.mark.parametrize("point", range(POINTS))
def test_killed_and_run_again(
    manifest: Path, undisturbed: tuple[Any, float], tmp_path: Path, point: int
) -> None:
    expected, whole_s = undisturbed
    seed = f"{os.environ.get('ASRDQ_KILL_SEED', 'kill')}-{point}"
    rng = random.Random(seed)
    Workspace.init(tmp_path)
    workspace = Workspace.open(tmp_path)
    for _ in range(2):
        process = subprocess.Popen(command(tmp_path, "ingest", manifest, "-n", "m"))
        try:
            process.wait(rng.uniform(0.3, 1.0) * whole_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            break
    subprocess.run(command(tmp_path, "ingest", manifest, "-n", "m"), check=True)
    finished = workspace.query("SELECT run_id FROM runs WHERE state = 'done'").num_rows
    found = state(workspace, ["m"])
    # An ingest that came through before the kill has left its own rejects, and rightly so.
    assert len(found["rejects"]) == finished * len(expected["rejects"]), seed
    assert {str(row) for row in found.pop("rejects")} == {str(r) for r in expected["rejects"]}
    assert found == {key: value for key, value in expected.items() if key != "rejects"}, seed
    assert list(workspace.store.layout.staging.iterdir()) == [], seed
    folder = workspace.store.layout.table("manifests/m")
    assert {str(path) for path in folder.glob("*.parquet")} == {
        path
        for version in workspace.history("m")
        for path in workspace.store.files(
            workspace.store.open(version.table, version.version), version.table
        )
    }, seed


def test_two_manifests_at_once(manifest: Path, tmp_path: Path) -> None:
    Workspace.init(tmp_path)
    names = ("one", "two")
    runs = [subprocess.Popen(command(tmp_path, "ingest", manifest, "-n", n)) for n in names]
    assert [run.wait() for run in runs] == [0, 0]
    workspace = Workspace.open(tmp_path)
    assert [workspace.manifest(name).rows for name in names] == [ROWS - ROWS // 1000] * 2
    assert workspace.read("rejects").num_rows == 2 * (ROWS // 1000)
    assert workspace.read("runs")["state"].to_pylist() == ["done", "done"]


def test_one_manifest_twice_at_once(manifest: Path, tmp_path: Path) -> None:
    Workspace.init(tmp_path)
    other = tmp_path / "other.jsonl"
    other.write_text(manifest.read_text().replace("words", "other"))
    runs = [
        subprocess.Popen(command(tmp_path, "ingest", file, "-n", "m"))
        for file in (manifest, other, manifest)
    ]
    assert [run.wait() for run in runs] == [0, 0, 0]
    workspace = Workspace.open(tmp_path)
    versions = workspace.history("m")
    assert len(versions) in (2, 3)
    for version in versions:
        texts = workspace.scan(version, columns=["text"])["text"].to_pylist()
        assert len(texts) == version.rows == ROWS - ROWS // 1000
        assert len({text.split()[0] for text in texts}) == 1


READER = """
import sys
from asrdq.workspace import Workspace
ws = Workspace.open(sys.argv[1])
seen = set()
while 5 not in seen:
    version = ws.manifest("m")
    rows = ws.scan(version, columns=["take"])["take"].to_pylist()
    assert len(rows) == version.rows == 200, (version, len(rows))
    assert set(rows) == {version.version}, (version, set(rows))
    seen.add(version.version)
"""


def test_readers_always_see_one_whole_version(tmp_path: Path) -> None:
    Workspace.init(tmp_path)
    workspace = Workspace.open(tmp_path)
    file = tmp_path / "m.jsonl"
    readers = []
    for take in range(6):
        rows = ({"audio_filepath": f"{i}.wav", "take": take} for i in range(200))
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        ingest_manifest(workspace, [file], "m")
        if not readers:
            reader = [sys.executable, "-c", READER, str(tmp_path)]
            readers = [subprocess.Popen(reader) for _ in range(2)]
    assert [reader.wait() for reader in readers] == [0, 0]


def test_a_read_only_workspace_is_told(manifest: Path, tmp_path: Path) -> None:
    Workspace.init(tmp_path)
    (tmp_path / "tables").rmdir()
    (tmp_path / "tables").write_text("a file in its place, which no one can write into")
    done = subprocess.run(
        command(tmp_path, "ingest", manifest, "-n", "m"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
