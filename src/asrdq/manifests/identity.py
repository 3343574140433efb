"""What identifies a row and a whole manifest: ids and fingerprints.

Both are made of MD5 over bytes that are the same on every machine, so ids and fingerprints
can be compared between machines and years.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from asrdq.manifests.columns import DURATION, LANGUAGE, OFFSET, TEXT, UTT_ID

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

_KEYS_SQL = f"""
    WITH identified AS (
        SELECT *, coalesce(nullif({UTT_ID}, ''),
                           left(md5(concat_ws(chr(31), key, offset_bits)), 20)) AS utt
        FROM block
    ), digested AS (
        SELECT utt, hash(utt) AS utt_hash, md5_number(concat_ws(chr(31),
            strlen(utt), strlen(key), strlen({TEXT}), duration_bits, offset_bits,
            coalesce({LANGUAGE}, chr(30)), utt, key, {TEXT})) AS digest
        FROM identified
    )
    SELECT utt, utt_hash, (digest >> 64)::UBIGINT AS high,
        (digest & 18446744073709551615::UHUGEINT)::UBIGINT AS low
    FROM digested
"""

_local = threading.local()


@dataclass(frozen=True, slots=True)
class Keys:
    """What identifies the rows of a block.

    Attributes:
        utt_id: The id of each row.
        id_hash: A hash of each id, comparable within this process only.
        digests: Sums of the row digests (see `Fingerprint`).
    """

    utt_id: pa.Array
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
    block = block.append_column("key", key)
    for column, name in ((DURATION, "duration_bits"), (OFFSET, "offset_bits")):
        block = block.append_column(name, _bits(rows[column], zero_is_null=column == OFFSET))
    database = _database()
    database.register("block", block)
    found = database.sql(_KEYS_SQL).to_arrow_table()
    database.unregister("block")
    high, low = (_sum(found[name]) for name in ("high", "low"))
    ids = pa.chunked_array(found["utt"]).combine_chunks()
    return Keys(ids, found["utt_hash"].to_numpy(), Fingerprint(high, low, rows.num_rows))


def _bits(column: pa.ChunkedArray, *, zero_is_null: bool) -> pa.Array:
    """Return the exact bits of floats as integers, -1 for null."""
    import pyarrow as pa

    values = column.to_numpy() + 0.0  # -0.0 and 0.0 are the same time
    bits = values.view(np.int64).copy()
    missing = np.isnan(values)
    if zero_is_null:
        missing |= values == 0
    bits[missing] = -1
    return pa.array(bits)


def _sum(column: pa.ChunkedArray) -> int:
    values: Any = column.to_numpy()
    return int(np.add.reduce(values, dtype=np.uint64)) if len(values) else 0


def _database() -> DuckDBPyConnection:
    """Return the DuckDB of this thread; blocks are hashed by several threads at once."""
    import duckdb

    if not hasattr(_local, "database"):
        _local.database = duckdb.connect(config={"python_enable_replacements": False})
        _local.database.execute("SET threads = 1")
    database: DuckDBPyConnection = _local.database
    return database
