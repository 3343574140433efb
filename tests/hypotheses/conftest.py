"""What tests of hypotheses share: small manifests, and files of hypotheses for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asrdq.hypotheses import HypothesesResult, load_hypotheses
from asrdq.manifests import ingest_manifest
from asrdq.workspace import ManifestVersion, Workspace

Ingest = Callable[..., ManifestVersion]
Load = Callable[..., HypothesesResult]

CLIPS = [
    {"utt_id": "a", "audio_filepath": "x/a.wav", "text": "red apple", "duration": 1.0},
    {"utt_id": "b", "audio_filepath": "x/b.wav", "text": "green pear", "duration": 2.0},
    {"utt_id": "c", "audio_filepath": "y/c.wav", "text": "blue plum", "duration": 3.0},
]


@pytest.fixture
def ingest(workspace: Workspace, tmp_path: Path) -> Ingest:
    """Ingest rows as the manifest `eval`, with the audio root /audio."""

    def run(rows: list[dict[str, Any]], name: str = "eval") -> ManifestVersion:
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return ingest_manifest(workspace, [file], name, audio_root=Path("/audio")).manifest

    return run


@pytest.fixture
def manifest(ingest: Ingest) -> ManifestVersion:
    """Three clips with ids of their own."""
    return ingest(CLIPS)


@pytest.fixture
def load(workspace: Workspace, tmp_path: Path) -> Load:
    """Write text or bytes to a file and load it: `load(manifest, "r1.trn", text)`."""

    def run(
        manifest: ManifestVersion, file: str, content: str | bytes, **options: Any
    ) -> HypothesesResult:
        path = tmp_path / file
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_hypotheses(workspace, manifest, path, **{"name": "r1", **options})

    return run


@pytest.fixture
def stored(workspace: Workspace) -> Callable[..., dict[str, str]]:
    """Return the hypotheses of a set by id."""

    def run(name: str = "r1", column: str = "hypothesis") -> dict[str, Any]:
        rows = workspace.read("hypotheses", where=f"hyps = '{name}'").to_pylist()
        return {row["utt_id"]: row[column] for row in rows}

    return run
