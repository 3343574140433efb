"""Manifests of made-up rows, written without an ingest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from deltalake import CommitProperties, write_deltalake

from asrdq.workspace.versions import COMMIT_KEY

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


def write_manifest(
    workspace: Workspace, name: str, content: Any, rows: int, hours: float = 0.0
) -> None:
    """Write a table or a stream of Arrow as the first version of a manifest."""
    facts = {
        "fingerprint": f"{'0' * 32}-{rows:x}",
        "rows": rows,
        "hours": hours,
        "audio_root": "/",
        "sources": [],
        "renamed": {},
        "run_id": "made-up",
    }
    write_deltalake(
        str(workspace.store.layout.table(f"manifests/{name}")),
        content,
        commit_properties=CommitProperties(custom_metadata={COMMIT_KEY: json.dumps(facts)}),
    )
