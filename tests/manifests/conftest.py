"""What tests of formats share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asrdq.manifests.ingest import IngestResult
    from asrdq.workspace import ManifestVersion, Workspace

Ingested = tuple["IngestResult", list[dict[str, Any]]]
Ingest = Callable[..., Ingested]
MakeManifest = Callable[[Sequence[dict[str, Any]]], "ManifestVersion"]


@pytest.fixture
def ingest(workspace: Workspace) -> Ingest:
    """Ingest a path and return the result and the rows, without the columns that are empty."""
    from asrdq.manifests.ingest import ingest_manifest

    def run(*paths: Path, name: str = "read", **options: Any) -> Ingested:
        options.setdefault("max_reject_share", 1.0)
        result = ingest_manifest(workspace, paths, name, **options)
        rows = workspace.scan(result.manifest).to_pylist()
        return result, [{k: v for k, v in row.items() if v is not None} for row in rows]

    return run


@pytest.fixture
def make_manifest(workspace: Workspace, tmp_path: Path) -> MakeManifest:
    """Make a manifest of rows in the fields of NeMo."""
    from asrdq.manifests.ingest import ingest_manifest

    def make(rows: Sequence[dict[str, Any]]) -> ManifestVersion:
        file = tmp_path / "made.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return ingest_manifest(workspace, [file], "made").manifest

    return make
