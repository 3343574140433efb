"""A workspace with a manifest of made-up rows: most comparisons need no audio."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Row = dict[str, Any]
Ingest = Callable[..., "ManifestVersion"]


@pytest.fixture
def ingest(workspace: Workspace, tmp_path: Path) -> Ingest:
    """Ingest rows as the next version of a manifest, `data` unless told."""
    from asrdq.manifests import ingest_manifest

    def take(rows: Sequence[Row], name: str = "data") -> ManifestVersion:
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        ingest_manifest(workspace, [file], name, audio_root=tmp_path)
        return workspace.manifest(name)

    return take
