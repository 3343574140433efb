"""Parquet: types of all kinds, damaged files, and rows that come back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asrdq.errors import DataError, UsageError
from asrdq.manifests.export import export_manifest
from asrdq.workspace import Workspace


def test_types_of_all_kinds(ingest: Any, workspace: Workspace, tmp_path: Path) -> None:
    table = pa.table(
        {
            "path": pa.array(["1.wav", "2.wav"], pa.large_string()),
            "sentence": pa.array(["a", None]).dictionary_encode(),
            "duration": pa.array([Decimal("1.5"), Decimal("2.25")]),
            "speaker": pa.array([1, 2], pa.int32()),
            "take": pa.array([1, 2], pa.uint8()),
            "snr": pa.array([1.5, None], pa.float32()),
            "when": pa.array(
                [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), None], pa.timestamp("ms", "UTC")
            ),
            "tags": pa.array([["a"], []], pa.large_list(pa.large_string())),
        }
    )
    pq.write_table(table, tmp_path / "m.parquet", row_group_size=1)
    result, rows = ingest(tmp_path / "m.parquet")
    assert result.formats == {str(tmp_path / "m.parquet"): "parquet"}
    assert [row["text"] for row in rows] == ["a", ""]
    assert [row["duration_s"] for row in rows] == [1.5, 2.25]
    assert [row["speaker"] for row in rows] == ["1", "2"]
    assert (rows[0]["take"], rows[0]["snr"], rows[0]["tags"]) == (1, 1.5, ["a"])
    assert rows[0]["when"] == dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def test_rejects_are_numbered_by_row(ingest: Any, tmp_path: Path) -> None:
    table = pa.table({"path": ["1.wav", None, "3.wav"], "duration": [1.0, 1.0, -1.0]})
    pq.write_table(table, tmp_path / "m.parquet", row_group_size=2)
    result, rows = ingest(tmp_path / "m.parquet")
    found = [(row["line"], row["reason"]) for row in result.rejects.to_pylist()]
    assert found == [(2, "missing_audio_path"), (3, "negative_duration")]
    assert len(rows) == 1


def test_a_column_of_the_wrong_type_is_named(ingest: Any, tmp_path: Path) -> None:
    pq.write_table(pa.table({"path": ["1.wav"], "text": [7]}), tmp_path / "m.parquet")
    with pytest.raises(UsageError, match="'text' is int64, not text"):
        ingest(tmp_path / "m.parquet")


def test_a_damaged_file_is_named(ingest: Any, tmp_path: Path) -> None:
    file = tmp_path / "m.parquet"
    pq.write_table(pa.table({"path": ["1.wav"] * 99}), file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match="damaged") as caught:
        ingest(file)
    assert caught.value.where == str(file)


def test_what_is_written_is_read_by_polars(
    workspace: Workspace, make_manifest: Any, tmp_path: Path
) -> None:
    rows = [{"audio_filepath": f"{i}.wav", "text": "a", "take": i, "tags": [i]} for i in range(5)]
    made = make_manifest(rows)
    result = export_manifest(workspace, made, "parquet", tmp_path / "o.parquet", relative=True)
    assert result.lost == ()
    read = pl.read_parquet(tmp_path / "o.parquet")
    assert read["audio_filepath"].to_list() == [f"{i}.wav" for i in range(5)]
    assert read["tags"].to_list() == [[i] for i in range(5)]
