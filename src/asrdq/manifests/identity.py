"""What identifies a row and a whole manifest: ids and fingerprints.

Both are made of MD5 over bytes that are the same on every machine, so ids and fingerprints
can be compared between machines and years.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asrdq.errors import ToolError
from asrdq.manifests.columns import DURATION, LANGUAGE, OFFSET, TEXT, UTT_ID

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

_KEYS_SQL = f"""
    WITH hashed AS (
        SELECT *, CASE WHEN offset_bits = -1 THEN left(md5(key), 20)
                       ELSE left(md5(key || chr(31) || offset_bits), 20) END AS made
        FROM block
    ), identified AS (
        SELECT *, coalesce(nullif({UTT_ID}, ''), made) AS utt FROM hashed
    )
    SELECT utt, hash(utt) AS utt_hash, md5_number(concat_ws(chr(31), utt, times,
        coalesce({LANGUAGE}, chr(30)), CASE WHEN utt = made THEN '' ELSE key END, {TEXT}
    )) AS digest
    FROM identified
"""
# Only the text, which comes last, may hold the separator: so no two rows give the same bytes.
# The path stays out of the digest where the id is made of it and stands for it.

_ODD = np.uint64(0x9E3779B97F4A7C15)

_local = threading.local()


@dataclass(frozen=True, slots=True)
class Keys:
    """What identifies the rows of a block.

    Attributes:
        utt_id: The id of each row.
        id_hash: A hash of each id, comparable within this process only.
        digest: Sum of the row digests.
    """

    utt_id: pa.ChunkedArray
    id_hash: NDArray[np.uint64]
    digest: Fingerprint


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """An order-independent sum of row digests: `+` joins parts, `-` takes rows out.

    The two halves of each 128-bit row digest are summed modulo 2**64, and rows are counted.
    """

    high: int = 0
    low: int = 0
    rows: int = 0

    def __add__(self, other: Fingerprint) -> Fingerprint:
        return Fingerprint(
            (self.high + other.high) % 2**64, (self.low + other.low) % 2**64, self.rows + other.rows
        )

    def __sub__(self, other: Fingerprint) -> Fingerprint:
        return Fingerprint(
            (self.high - other.high) % 2**64, (self.low - other.low) % 2**64, self.rows - other.rows
        )

    def __str__(self) -> str:
        return f"{self.high:016x}{self.low:016x}-{self.rows:x}"

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """Return the fingerprint that `str()` gave."""
        digest, _, rows = text.partition("-")
        return cls(int(digest[:16], 16), int(digest[16:], 16), int(rows, 16))


def row_keys(rows: pa.Table, key: pa.ChunkedArray) -> Keys:
    """Return ids and digests of rows.

    An id is the row's own where it has one, else 20 hex digits of the MD5 of `key` and offset.

    Args:
        rows: Rows with the canonical columns; text is never null.
        key: Path of each clip relative to the audio root.
    """
    import pyarrow as pa

    block = rows.select([UTT_ID, TEXT, LANGUAGE])
    duration = _bits(rows[DURATION])
    offset = _bits(rows[OFFSET], zero_is_null=True)
    block = block.append_column("key", key)
    block = block.append_column("offset_bits", pa.array(offset))
    block = block.append_column("times", pa.array(_mixed(duration, offset)))
    database = _database()
    database.register("block", block)
    found = database.sql(_KEYS_SQL).to_arrow_table()
    database.unregister("block")
    return Keys(found["utt"], found["utt_hash"].to_numpy(), _fingerprint(found["digest"]))


def _bits(column: pa.ChunkedArray, *, zero_is_null: bool = False) -> NDArray[np.int64]:
    """Return the exact bits of floats as integers, -1 for null."""
    values = column.to_numpy() + 0.0  # -0.0 and 0.0 are the same time
    bits: NDArray[np.int64] = values.view(np.int64).copy()
    missing = np.isnan(values)
    if zero_is_null:
        missing |= values == 0
    bits[missing] = -1
    return bits


def _mixed(duration: NDArray[np.int64], offset: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Join the bits of two numbers in one: for either alone, a different one for each value."""
    mixed = duration.view(np.uint64) * _ODD
    return (mixed ^ (mixed >> np.uint64(29))) + offset.view(np.uint64)


def _fingerprint(digests: pa.ChunkedArray) -> Fingerprint:
    """Sum 128-bit digests, which Arrow holds as 16 bytes each, the lower half first."""
    low = high = 0
    for chunk in digests.chunks:
        halves = np.frombuffer(chunk.buffers()[1], dtype="<u8")
        halves = halves[2 * chunk.offset : 2 * (chunk.offset + len(chunk))]
        low += int(np.add.reduce(halves[0::2], dtype=np.uint64))
        high += int(np.add.reduce(halves[1::2], dtype=np.uint64))
    return Fingerprint(high % 2**64, low % 2**64, len(digests))


def _database() -> DuckDBPyConnection:
    """Return the DuckDB of this thread; blocks are hashed by several threads at once."""
    import duckdb

    if not hasattr(_local, "database"):
        _local.database = duckdb.connect(config={"python_enable_replacements": False})
        _local.database.execute("SET threads = 1")
        _self_test(_local.database)
    database: DuckDBPyConnection = _local.database
    return database


def _self_test(database: DuckDBPyConnection) -> None:
    """Refuse to work where DuckDB and Arrow do not pass MD5 on as it is.

    Raises:
        ToolError: They do not; fingerprints would not be comparable.
    """
    given = database.sql("SELECT md5_number('asrdq') AS digest").to_arrow_table()["digest"]
    number = int.from_bytes(hashlib.md5(b"asrdq", usedforsecurity=False).digest(), "little")
    if _fingerprint(given) != Fingerprint(number >> 64, number % 2**64, 1):
        raise ToolError(
            "this version of DuckDB gives other MD5 numbers than expected",
            hint="install the versions that asrdq was tested with (constraints)",
        )
