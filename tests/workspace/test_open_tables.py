"""The tables of a workspace are plain Delta tables: other programs open them as they are."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
from deltalake import DeltaTable

from asrdq.manifests import ingest_manifest
from asrdq.versions import derive_manifest, tag_version
from asrdq.workspace import Workspace
from asrdq.workspace.versions import COMMIT_KEY


def test_polars_deltalake_and_duckdb_read_every_version(
    workspace: Workspace, tmp_path: Path
) -> None:
    for count in (2, 3):
        rows = ({"audio_filepath": f"{i}.wav", "duration": 1.0, "n": i} for i in range(count))
        file = tmp_path / "m.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        ingest_manifest(workspace, [file], "train")
    query = "SELECT * FROM train WHERE n > 0"
    derive_manifest(workspace, "few", query)
    tag_version(workspace, "train@0", "first")
    tables = workspace.root / "tables"
    train = str(tables / "manifests" / "train")
    assert pl.read_delta(train)["n"].sort().to_list() == [0, 1, 2]
    assert pl.read_delta(train, version=0)["n"].sort().to_list() == [0, 1]
    few = DeltaTable(str(tables / "manifests" / "few"))
    assert sorted(pa.table(few.to_pyarrow_table())["n"].to_pylist()) == [1, 2]
    facts = json.loads(few.history(1)[0][COMMIT_KEY])
    assert facts["lineage"]["query"] == query
    assert facts["lineage"]["parents"][0]["lost_rows"] == 1
    assert pl.read_delta(str(tables / "tags"))["tag"].to_list() == ["first"]
    files = [str(tables / "manifests" / "train" / uri) for uri in DeltaTable(train).file_uris()]
    assert duckdb.sql(f"SELECT sum(n) FROM read_parquet({files})").fetchall() == [(3,)]
