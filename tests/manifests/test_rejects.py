"""The log of rejected lines counts all of them and keeps a bounded number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asrdq.manifests import ingest_manifest, rejects
from asrdq.workspace import Workspace


def test_all_rejects_are_counted_and_the_first_are_kept(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejects, "KEPT_AT_MOST", 3)
    file = tmp_path / "m.jsonl"
    good = json.dumps({"audio_filepath": "a.wav"}) + "\n"
    file.write_text("{broken\n" * 5 + good, encoding="utf-8")
    result = ingest_manifest(workspace, [file], "train", max_reject_share=1.0)
    assert result.rejected == {"broken_json": 5}
    assert result.rejects["line"].to_pylist() == [1, 2, 3]
    assert workspace.read("rejects").num_rows == 3
    assert "3 of 5 rejects are kept" in result.notes
