"""A Parquet file larger than memory is read piece by piece."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asrdq.manifests.formats.huggingface import HuggingFaceFormat

GROUPS, GROUP_BYTES = 320, 100_000


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """32 MB of audio in 320 row groups."""
    audio = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("audio", audio), ("text", pa.string())])
    file = tmp_path / "large.parquet"
    with pq.ParquetWriter(file, schema, compression="none", use_dictionary=False) as writer:
        for number in range(GROUPS):
            content = bytes([number % 256]) * GROUP_BYTES
            row = {"audio": {"bytes": content, "path": f"{number}.wav"}, "text": "a"}
            writer.write_table(pa.Table.from_pylist([row], schema=schema))
    return file


def test_what_was_read_is_let_go(large: Path) -> None:
    before, most, pieces = pa.total_allocated_bytes(), 0, 0
    for chunk in HuggingFaceFormat().split(large):
        most = max(most, pa.total_allocated_bytes() - before)
        pieces += 1
        del chunk
    assert pieces > 1
    assert most < GROUPS * GROUP_BYTES / 3
