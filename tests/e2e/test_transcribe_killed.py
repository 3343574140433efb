"""Transcriptions and readings of hypotheses that are killed at random points and run again."""

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

KILLS = 5
CLIPS = 6

READ = """
import sys
from asrdq.hypotheses import resolve
from asrdq.workspace import Workspace
workspace = Workspace.open(sys.argv[1])
resolve(workspace, workspace.manifest("eval"), sys.argv[2])
"""


def prepared(folder: Path, data_samples: Path) -> Workspace:
    """A workspace with the shortest sample clips, faulty ones among them."""
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: row["duration"])[:CLIPS]
    for row in rows:
        row["audio_filepath"] = str(data_samples / row["audio_filepath"])
    Workspace.init(folder)
    manifest = folder / "eval.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    workspace = Workspace.open(folder)
    ingest_manifest(workspace, [manifest], "eval")
    return workspace


def start(*arguments: object) -> subprocess.Popen[bytes]:
    """Start Python in a session of its own, so that its processes can be told apart."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def transcription(folder: Path) -> subprocess.Popen[bytes]:
    words = ("transcribe", "eval", "--with", "pocketsphinx", "--name", "r1", "--workers", "2")
    return start("-m", "asrdq", *words, "--workspace", folder)


def timed(folder: Path) -> tuple[int, float]:
    """Transcribe to the end, and return the exit code and how long it took."""
    started = time.monotonic()
    return transcription(folder).wait(), time.monotonic() - started


def outcome(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    """Return every table of the set, without run ids."""
    found = {}
    for name in ("hypotheses", "hypothesis_words", "transcription_failures"):
        if workspace.table_exists(name):
            rows = workspace.read(name).drop_columns(["run_id"])
            found[name] = sorted(rows.to_pylist(), key=str)
    return found


def cached_keys(workspace: Workspace) -> list[str]:
    folder = Path(str(workspace.root)) / "tables/cache/transcriptions"
    if not DeltaTable.is_deltatable(str(folder)):
        return []
    return [str(key) for key in DeltaTable(folder).to_pyarrow_table()["key"].to_pylist()]


@pytest.mark.slow(minutes=1)
def test_a_transcription_killed_at_random_points(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, data_samples: Path, kill: Kill
) -> None:
    seed = os.environ.get("ASRDQ_KILL_SEED", "transcribe")
    chance = random.Random(seed)
    calm = prepared(tmp_path_factory.mktemp("calm"), data_samples)
    calm_code, whole_s = timed(Path(str(calm.root)))
    _, cached_s = timed(Path(str(calm.root)))
    expected, everything = outcome(calm), set(cached_keys(calm))
    assert len(expected["hypotheses"]) > CLIPS / 2

    disturbed = prepared(tmp_path, data_samples)
    kept: set[str] = set()
    kills = 0
    for _ in range(3 * KILLS):
        # While clips are left to transcribe, and with all of them known.
        left = 1.0 - len(kept) / len(everything)
        after_s = chance.uniform(0.2, 0.8) * (cached_s + left * (whole_s - cached_s))
        kills += kill(transcription(tmp_path), after_s)
        keys = cached_keys(disturbed)
        assert kept <= set(keys) and len(keys) == len(set(keys)), f"{seed}, kill {kills}"
        kept = set(keys)
        if kills == KILLS:
            break
    assert kills == KILLS, seed
    assert transcription(tmp_path).wait() == calm_code
    assert outcome(disturbed) == expected, seed
    assert sorted(cached_keys(disturbed)) == sorted(everything), seed


@pytest.mark.slow
def test_a_reading_killed_at_random_points(tmp_path: Path, data_samples: Path, kill: Kill) -> None:
    chance = random.Random(os.environ.get("ASRDQ_KILL_SEED", "reading"))
    workspace = prepared(tmp_path, data_samples)
    ids = workspace.scan(workspace.manifest("eval"), ["utt_id"])["utt_id"].to_pylist()

    def written(text: str) -> Path:
        file = tmp_path / f"{text}.trn"
        file.write_text("".join(f"{text} ({utt_id})\n" for utt_id in ids))
        return file

    def reading(file: Path) -> subprocess.Popen[bytes]:
        return start("-c", READ, tmp_path, f"r1={file}")

    def texts() -> list[str]:
        return sorted(set(workspace.read("hypotheses")["hypothesis"].to_pylist()))

    old, new = written("old"), written("new")
    started = time.monotonic()
    assert reading(old).wait() == 0
    whole_s = time.monotonic() - started
    for _ in range(KILLS):
        kill(reading(new), chance.uniform(0.3, 1.0) * whole_s)
        assert texts() in (["old"], ["new"])
        assert workspace.read("hypotheses").num_rows == CLIPS
    assert reading(new).wait() == 0
    assert texts() == ["new"]
    assert workspace.read("hypotheses").num_rows == CLIPS
    assert list((tmp_path / "tables" / ".staging").iterdir()) == []
