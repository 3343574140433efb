"""The database of views: any DuckDB client reads it, and it never overwrites anything else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from asrdq.errors import ToolError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.versions import tag_version
from asrdq.workspace import Workspace
from asrdq.workspace.database import ORIGIN


def ingest(workspace: Workspace, folder: Path, count: int) -> None:
    """Ingest so many clips of one second each as `train`."""
    rows = ({"audio_filepath": f"{i}.wav", "duration": 1.0} for i in range(count))
    file = folder / "m.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingest_manifest(workspace, [file], "train")


def counts(path: Path) -> dict[str, int]:
    """Return the number of rows of every view, as a client that knows nothing of asrdq sees it."""
    with duckdb.connect(str(path), read_only=True) as database:
        names = [name for (name,) in database.execute("SHOW TABLES").fetchall()]
        return {
            name: database.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0]
            for name in names
        }


def test_a_client_sees_tables_versions_and_tags(workspace: Workspace, tmp_path: Path) -> None:
    ingest(workspace, tmp_path, 2)
    ingest(workspace, tmp_path, 3)
    tag_version(workspace, "train@0", "audited")
    workspace.append("audits", pa.table({"utt_id": ["a"]}))
    result = workspace.write_database(tmp_path / "new" / "out.duckdb")
    expected = {"audits": 1, "runs": 2, "tags": 1}
    expected |= {"train": 3, "train@0": 2, "train@1": 3, "train@audited": 2}
    assert counts(result.path) == expected | {ORIGIN: 1}
    assert sorted(result.views) == sorted(expected)
    assert result.arrow().num_rows == 7
    assert [file.name for file in result.path.parent.iterdir()] == ["out.duckdb"]


def test_it_is_as_of_now_and_is_written_anew(workspace: Workspace, tmp_path: Path) -> None:
    ingest(workspace, tmp_path, 2)
    file = tmp_path / "out.duckdb"
    workspace.write_database(file)
    ingest(workspace, tmp_path, 5)
    assert counts(file)["train"] == 2
    workspace.write_database(file)
    assert counts(file)["train"] == 5


def test_it_may_be_moved_for_its_paths_are_absolute(workspace: Workspace, tmp_path: Path) -> None:
    ingest(workspace, tmp_path, 2)
    workspace.write_database(tmp_path / "out.duckdb")
    (tmp_path / "far").mkdir()
    shutil.move(tmp_path / "out.duckdb", tmp_path / "far" / "other.duckdb")
    assert counts(tmp_path / "far" / "other.duckdb")["train"] == 2


def test_what_it_did_not_write_is_left_alone(workspace: Workspace, tmp_path: Path) -> None:
    text = tmp_path / "train.jsonl"
    text.write_text("precious")
    own = tmp_path / "own.duckdb"
    with duckdb.connect(str(own)) as database:
        database.execute("CREATE TABLE precious AS SELECT 1 AS n")
    mixed = workspace.write_database(tmp_path / "mixed.duckdb").path
    with duckdb.connect(str(mixed)) as database:
        database.execute("CREATE TABLE precious AS SELECT 1 AS n")
    for file in (text, own, mixed):
        before = file.read_bytes()
        with pytest.raises(UsageError, match="holds something else"):
            workspace.write_database(file)
        assert file.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="cannot be written"):
        workspace.write_database(tmp_path / "file" / "out.duckdb")
