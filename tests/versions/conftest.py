"""Manifests made of a few rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from asrdq.manifests import ingest_manifest
from asrdq.workspace import ManifestVersion, Workspace

Ingest = Callable[..., ManifestVersion]


@pytest.fixture
def ingest(workspace: Workspace, tmp_path: Path) -> Ingest:
    """Ingest rows: `ingest([clip("a", duration=2.0)], "train", root="/mnt/x")`."""

    def run(
        rows: Iterable[dict[str, Any]], name: str = "train", *, root: str | None = None
    ) -> ManifestVersion:
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        audio_root = None if root is None else Path(root)
        return ingest_manifest(workspace, [file], name, audio_root=audio_root).manifest

    return run


@pytest.fixture
def clip() -> Callable[..., dict[str, Any]]:
    """A row of one hour: `clip("a", text="hello")`."""

    def make(utt_id: str, **values: Any) -> dict[str, Any]:
        row = {"utt_id": utt_id, "audio_filepath": f"/data/{utt_id}.wav", "duration": 3600.0}
        return {**row, "text": f"words of {utt_id}", **values}

    return make
