"""Clips measured and transcribed on a real Ray: the tables of this machine, killed or not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from asrdq.errors import UsageError
from asrdq.manifests import ingest_manifest
from asrdq.settings import RaySettings
from asrdq.transcription import TranscriberOptions, TranscriptionPlan, transcribe
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

CLIPS = 5
ON_RAY = ("--engine", "ray", "--workers", "2")
PROBE = ("probe", "eval")
TRANSCRIBE = ("transcribe", "eval", "--with", "pocketsphinx", "--name", "r1")


def prepared(folder: Path, data_samples: Path) -> Path:
    """A workspace with short sample clips, a file that is no audio and one that is not there."""
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: row["duration"])[:CLIPS]
    rows = [{**row, "audio_filepath": str(data_samples / row["audio_filepath"])} for row in rows]
    Workspace.init(folder)
    (folder.parent / "text.wav").write_text("this is no audio")
    for name in ("text.wav", "absent.wav"):
        rows.append({"audio_filepath": str(folder.parent / name), "text": "one", "duration": 1.0})
    manifest = folder / "eval.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingest_manifest(Workspace.open(folder), [manifest], "eval")
    return folder


def tables(folder: Path, *names: str) -> dict[str, list[str]]:
    """Return tables without their run ids, as text: NaN is then equal to itself."""
    workspace = Workspace.open(folder)
    return {
        name: sorted(map(repr, workspace.read(name).drop_columns(["run_id"]).to_pylist()))
        for name in names
    }


def engine_of(folder: Path, command: str) -> str:
    """Return the engine that the newest run of a command says it had."""
    [row] = (
        Workspace.open(folder)
        .query(
            "SELECT parameters FROM runs WHERE command = $command ORDER BY started DESC LIMIT 1",
            {"command": command},
        )
        .to_pylist()
    )
    return str(json.loads(row["parameters"])["engine"])


def test_facts_of_audio_are_those_of_this_machine(
    tmp_path: Path, data_samples: Path, run_cli: Callable[..., Any]
) -> None:
    here = prepared(tmp_path / "here", data_samples)
    there = prepared(tmp_path / "there", data_samples)
    run_cli(*PROBE, "--workers", "2", cwd=here)
    run_cli(*PROBE, *ON_RAY, cwd=there)
    expected = tables(here, "audio_facts")
    assert len(expected["audio_facts"]) == CLIPS + 2
    assert sum("'status': 'ok'" in row for row in expected["audio_facts"]) == CLIPS
    assert tables(there, "audio_facts") == expected
    assert (engine_of(here, "probe"), engine_of(there, "probe")) == ("local", "ray")


def test_a_transcription_that_is_killed_on_a_cluster_goes_on_there(
    tmp_path: Path, data_samples: Path, run_cli: Callable[..., Any]
) -> None:
    here = prepared(tmp_path / "here", data_samples)
    there = prepared(tmp_path / "there", data_samples)
    run_cli(*TRANSCRIBE, "--workers", "2", cwd=here, code=4)
    kept = killed_after_an_answer(there)
    run_cli(*TRANSCRIBE, *ON_RAY, cwd=there, code=4)
    assert 0 < kept <= CLIPS + 1
    names = ("hypotheses", "transcription_failures")
    expected = tables(here, *names)
    assert [len(expected[name]) for name in names] == [CLIPS, 2]
    assert tables(there, *names) == expected
    assert engine_of(there, "transcribe") == "ray"
    assert answered(there) == answered(here)


def killed_after_an_answer(folder: Path) -> int:
    """Kill a transcription on Ray once it has kept an answer; return how many it kept."""
    process = subprocess.Popen(
        [sys.executable, "-m", "asrdq", *TRANSCRIBE, *ON_RAY],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not answered(folder) and process.poll() is None:
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    return len(answered(folder))


def answered(folder: Path) -> set[str]:
    """Return the keys of all answers that are kept."""
    cache = folder / "tables/cache/transcriptions"
    if not DeltaTable.is_deltatable(str(cache)):
        return set()
    return set(DeltaTable(cache).to_pyarrow_table()["key"].to_pylist())


def test_a_server_is_not_asked_from_a_cluster(tmp_path: Path, data_samples: Path) -> None:
    workspace = Workspace.open(prepared(tmp_path / "ws", data_samples))
    options = TranscriberOptions("openai", "http://127.0.0.1:9/v1")
    plan = TranscriptionPlan(options, cluster=RaySettings())
    with pytest.raises(UsageError, match="asks its server from this machine") as refused:
        transcribe(workspace, workspace.manifest("eval"), plan)
    assert refused.value.hint == "--engine local"
