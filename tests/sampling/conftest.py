"""A workspace with a manifest of made-up rows: no audio is needed to draw a sample."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Rows = Sequence[dict[str, Any]]


@pytest.fixture
def ingest(workspace: Workspace, tmp_path: Path) -> Callable[[Rows], ManifestVersion]:
    """Ingest rows as the next version of manifest `train`."""
    from asrdq.manifests import ingest_manifest

    def take(rows: Rows) -> ManifestVersion:
        file = tmp_path / "train.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        ingest_manifest(workspace, [file], "train")
        return workspace.manifest("train")

    return take
