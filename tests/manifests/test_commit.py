"""What a killed ingest leaves is cleared away by the next one, and nothing else is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from asrdq.manifests.ingest import ingest_manifest
from asrdq.workspace import Workspace
from asrdq.workspace.runs import RUNNING, RUNS, runs_schema

pytestmark = pytest.mark.slow

KILLED = """
import os, signal, sys
from pathlib import Path
from asrdq.manifests import commit, ingest_manifest
from asrdq.workspace import Workspace
setattr(commit, sys.argv[3], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
ingest_manifest(Workspace.open(sys.argv[1]), [Path(sys.argv[2])], "train")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path, "first")


def write(folder: Path, text: str) -> Path:
    file = folder / "train.jsonl"
    file.write_text(json.dumps({"audio_filepath": "a.wav", "text": text}) + "\n")
    return file


def killed_ingest(workspace: Workspace, file: Path, at: str) -> None:
    command = [sys.executable, "-c", KILLED, str(workspace.root), str(file), at]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


def parquet_files(workspace: Workspace) -> set[str]:
    return {path.name for path in workspace.store.layout.table("manifests/train").glob("*.parquet")}


def files_of_versions(workspace: Workspace) -> set[str]:
    store = workspace.store
    names = set()
    for version in workspace.history("train"):
        table = store.open(version.table, version.version)
        names |= {Path(path).name for path in store.files(table, version.table)}
    return names


def test_files_moved_and_never_committed_are_removed(workspace: Workspace, file: Path) -> None:
    killed_ingest(workspace, file, "_commit")
    assert len(parquet_files(workspace)) == 1
    assert workspace.manifests() == []
    ingest_manifest(workspace, [file], "train")
    assert parquet_files(workspace) == files_of_versions(workspace)
    killed_ingest(workspace, write(file.parent, "second"), "_commit")
    assert len(parquet_files(workspace)) == 2
    ingest_manifest(workspace, [write(file.parent, "first")], "train")  # makes no version
    ingest_manifest(workspace, [write(file.parent, "third")], "train")
    assert len(parquet_files(workspace)) == 2
    assert parquet_files(workspace) == files_of_versions(workspace)


def elsewhere(workspace: Workspace, run_id: str) -> None:
    """Write down a run that goes on, on another machine."""
    row = {"run_id": run_id, "command": "ingest", "host": "another-machine", "state": RUNNING}
    workspace.append(RUNS, pa.Table.from_pylist([row], schema=runs_schema()))


def test_what_a_run_elsewhere_is_making_is_left_alone(workspace: Workspace, file: Path) -> None:
    ingest_manifest(workspace, [file], "train")
    elsewhere(workspace, "far")
    staged = workspace.store.layout.staging / "far"
    staged.mkdir()
    moved = workspace.store.layout.table("manifests/train") / "far--part-00000.parquet"
    moved.touch()
    ingest_manifest(workspace, [write(file.parent, "second")], "train")
    assert staged.is_dir()
    assert moved.is_file()


def test_the_staging_of_a_dead_run_is_cleared(workspace: Workspace, file: Path) -> None:
    killed_ingest(workspace, file, "_move")
    staging = workspace.store.layout.staging
    elsewhere(workspace, "far")
    (staging / "far").mkdir()
    killed_ingest(workspace, file, "_move")
    assert len(list(staging.iterdir())) == 2
    ingest_manifest(workspace, [file], "train")
    assert [path.name for path in staging.iterdir()] == ["far"]
