"""Transcribers of the tests, installed as a plug-in is; a server; manifests of tones."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asrdq.manifests import ingest_manifest
from asrdq.workspace import ManifestVersion, Workspace

sys.path.append(str(Path(__file__).parent))

from transcription_server import TranscriptionServer

PLUGINS = Path(__file__).parent / "plugins"
METADATA = "Metadata-Version: 2.1\nName: trial-transcribers\nVersion: 1.0\n"
ENTRY_POINTS = """[asrdq.transcribers]
counting = trial_transcribers:CountingTranscriber
crashing = trial_transcribers:CrashingTranscriber
unloadable = trial_transcribers:UnloadableTranscriber
unbuildable = trial_transcribers:UnbuildableTranscriber
nothing = trial_transcribers:NoTranscriber
"""

Tones = Callable[..., ManifestVersion]


@pytest.fixture
def trial_transcribers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install the transcribers; return the log of what they were asked."""
    info = tmp_path / "site" / "trial_transcribers-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    log = tmp_path / "asked.txt"
    log.touch()
    monkeypatch.setenv("ASRDQ_TRIAL_LOG", str(log))
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.syspath_prepend(str(info.parent))
    yield log
    sys.modules.pop("trial_transcribers", None)


@pytest.fixture
def tones(workspace: Workspace, tmp_path: Path) -> Tones:
    """Ingest tones as `eval`: `tones(1, 2.5)` has clips t1 and t2.5 of so many seconds."""

    def run(*seconds: float, **fields: Any) -> ManifestVersion:
        rows = []
        for length in seconds:
            file = tmp_path / f"t{length:g}.wav"
            times = np.arange(round(length * 16_000)) / 16_000
            soundfile.write(file, 0.3 * np.sin(2 * np.pi * 440 * times), 16_000)
            clip = {"utt_id": f"t{length:g}", "audio_filepath": str(file), "text": "tone"}
            rows.append({**clip, "duration": length, **fields})
        manifest = tmp_path / "eval.jsonl"
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return ingest_manifest(workspace, [manifest], "eval").manifest

    return run


@pytest.fixture
def server() -> Iterator[TranscriptionServer]:
    """A transcription server."""
    started = TranscriptionServer()
    yield started
    started.close()


@pytest.fixture
def texts(workspace: Workspace) -> Callable[..., dict[str, str]]:
    """Return the hypotheses of a set by id."""

    def run(name: str) -> dict[str, str]:
        rows = workspace.read("hypotheses", where=f"hyps = '{name}'").to_pylist()
        assert len({row["utt_id"] for row in rows}) == len(rows)
        return {row["utt_id"]: row["hypothesis"] for row in rows}

    return run


@pytest.fixture
def failures(workspace: Workspace) -> Callable[..., dict[str, str]]:
    """Return the reasons of a set by id."""

    def run(name: str) -> dict[str, str]:
        rows = workspace.read("transcription_failures", where=f"hyps = '{name}'").to_pylist()
        return {row["utt_id"]: row["reason"] for row in rows}

    return run
