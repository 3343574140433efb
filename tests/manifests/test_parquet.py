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


def test_values_that_a_table_has_no_type_for_are_kept_as_text(ingest: Any, tmp_path: Path) -> None:
    table = pa.table(
        {
            "path": ["1.wav", "2.wav"],
            "hash": pa.array([2**63 + 1, None], pa.uint64()),
            "count": pa.array([2**53 + 1, 3], pa.uint64()),
            "price": pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)),
            "exact": pa.array([Decimal("12345678901234567.89"), None], pa.decimal128(38, 2)),
            "wide": pa.array([Decimal("1.5"), None], pa.decimal256(50, 1)),
            "at": pa.array([1_000_000_001, None], pa.timestamp("ns")),
            "whole": pa.array([1_000_000_000, None], pa.timestamp("ns")),
            "clock": pa.array([dt.time(1, 2, 3), None], pa.time64("us")),
            "took": pa.array([dt.timedelta(seconds=90), None], pa.duration("us")),
            "in": pa.array(
                [{"clock": dt.time(1, 2, 3)}, None], pa.struct({"clock": pa.time32("s")})
            ),
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    _, [row, _] = ingest(tmp_path / "m.parquet")
    assert (row["hash"], row["count"]) == ("9223372036854775809", 2**53 + 1)
    assert (row["price"], row["exact"], row["wide"]) == (1.1, "12345678901234567.89", "1.5")
    assert row["at"] == "1970-01-01 00:00:01.000000001"
    assert row["whole"] == dt.datetime(1970, 1, 1, 0, 0, 1)
    assert (row["clock"], row["took"]) == ("01:02:03.000000", 90.0)
    assert "01:02:03" in str(row["in"])
