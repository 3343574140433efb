"""What an argument such as `r1`, `r1=FILE` or `FILE` means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.hypotheses import hypothesis_sets, resolve
from asrdq.workspace import ManifestVersion, Workspace


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my system.jsonl"
    path.write_text("".join(json.dumps({"id": each, "hyp": each * 2}) + "\n" for each in "abc"))
    return path


def test_a_file(manifest: ManifestVersion, workspace: Workspace, file: Path, stored: Any) -> None:
    told: list[Any] = []
    assert resolve(workspace, manifest, str(file), told=told.append) == "my-system"
    assert stored("my-system") == {"a": "aa", "b": "bb", "c": "cc"}
    assert "3 of 3 clips of eval@0 have a hypothesis, joined by id" in told[0].summary()
    assert resolve(workspace, manifest, f"r1={file}") == "r1"
    names = [(each.name, each.rows) for each in hypothesis_sets(workspace, manifest)]
    assert names == [("my-system", 3), ("r1", 3)]


def test_a_set_is_not_read_again(
    manifest: ManifestVersion, workspace: Workspace, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    assert resolve(workspace, manifest, "v1.0=my system.jsonl") == "v1.0"
    file.unlink()
    assert resolve(workspace, manifest, "v1.0") == "v1.0"


def test_a_set_of_another_version_is_checked(
    manifest: ManifestVersion, ingest: Any, workspace: Workspace, file: Path
) -> None:
    resolve(workspace, manifest, f"r1={file}")
    clips = [{"utt_id": each, "audio_filepath": f"{each}.wav", "text": ""} for each in "abd"]
    later = ingest(clips)
    with pytest.raises(DataError, match="1 of 3 clips of eval@1 have no hypothesis") as caught:
        resolve(workspace, later, "r1")
    said = str(caught.value)
    assert "set 'r1'" in said and "no hypothesis of 'd'" in said and "no clip of 'c'" in said
    assert resolve(workspace, later, "r1", ids="common") == "r1"
    assert resolve(workspace, manifest, "r1") == "r1"


def test_neither_a_set_nor_a_file(
    manifest: ManifestVersion, workspace: Workspace, file: Path
) -> None:
    with pytest.raises(UsageError, match="eval has: none yet"):
        resolve(workspace, manifest, "r1")
    resolve(workspace, manifest, f"round-1={file}")
    with pytest.raises(UsageError, match=r"did you mean 'round-1'\? eval has: round-1;"):
        resolve(workspace, manifest, "round1")
    with pytest.raises(UsageError, match=r"no such file"):
        resolve(workspace, manifest, "r1=nowhere.jsonl")
