"""What identifies a row and a whole manifest: ids and fingerprints.

Both are made of MD5 over bytes that are the same on every machine, so ids and fingerprints
can be compared between machines and years. A fingerprint tells any accidental change, and to
change the text of a row unseen takes a second preimage of MD5; it is no signature against
somebody who may write many rows with that in mind.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asrdq.errors import ToolError
from asrdq.manifests.columns import DURATION, LANGUAGE, OFFSET, TEXT, UTT_ID
from asrdq.manifests.database import block_query

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_KEYS_SQL = """
    SELECT md5_number(place) AS place, {own}
        md5_number(concat(times, coalesce(language, chr(30)), chr(31), text)) AS content
    FROM block
"""
# Only the text, which comes last, may hold the separator chr(31), so no two rows give the same
# bytes; chr(30) is no language.

_ID_BYTES = 10
_HEX_ID = f"^[0-9a-f]{{{2 * _ID_BYTES}}}$"
_HEX = np.array([int.from_bytes(b"%02x" % byte, "little") for byte in range(256)], "<u2")

_MISSING = -1
_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


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
    The digest of a row joins two MD5s of 128 bits, that of what its id is made of (and of its
    own id, where that is another) and that of duration, offset, language and text: with one
    of the two given, each value of the other gives another digest. A clip without an offset and
    one with an offset of 0 have one id, but not one digest: the first is a whole file.

    Args:
        rows: Rows with the canonical columns; text is never null.
        key: Path of each clip relative to the audio root.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    offset = _bits(rows[OFFSET])
    has_own = rows[UTT_ID].null_count < rows.num_rows
    block = rows.select([UTT_ID, TEXT, LANGUAGE])
    block = block.append_column("place", _place(key, offset))
    block = block.append_column("times", _times(_bits(rows[DURATION]), offset))
    own = f"md5_number(nullif({UTT_ID}, '')) AS own," if has_own else ""
    _self_test()
    found = block_query(_KEYS_SQL.format(own=own), block)
    place, content = _halves(found["place"]), _halves(found["content"])
    made = _hex(place.view(np.uint8)[:, :_ID_BYTES])
    if not has_own:
        return Keys(pa.chunked_array([made]), place[:, 0].copy(), _sum(_mix(place ^ content)))
    utt_id = pc.if_else(pc.equal(rows[UTT_ID], ""), None, rows[UTT_ID])
    differs = pc.fill_null(pc.not_equal(utt_id, made), False).to_numpy()
    own_hash = _halves(found["own"])
    start = np.where(differs[:, None], _mix(place) + own_hash, place)
    utt_id = pc.coalesce(utt_id, made)
    id_hash = np.where(differs, own_hash[:, 0], place[:, 0])
    _hash_as_made(utt_id, differs, id_hash)
    return Keys(utt_id, id_hash, _sum(_mix(start ^ content)))


def _place(key: pa.ChunkedArray, offset: NDArray[np.int64]) -> pa.ChunkedArray:
    """Return what ids are made of: the path, and where there is an offset above 0 its bits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    none = (offset == _MISSING) | (offset == 0)
    if none.all():
        return key
    segment = pc.binary_join_element_wise(key, pa.array(offset).cast(pa.string()), chr(31))
    return pc.if_else(pa.array(none), key, segment)


def _times(duration: NDArray[np.int64], offset: NDArray[np.int64]) -> pa.Array:
    """Return the bits of duration and, where there is one, offset as hex; chr(31) ends them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    end = np.full((len(duration), 1), ord("\x1f"), np.uint8)
    short = _hex(_bytes(duration), end)
    none = offset == _MISSING
    if none.all():
        return short
    return pc.if_else(pa.array(none), short, _hex(_bytes(duration), _bytes(offset), end))


def _bytes(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    return numbers.astype("<i8").view(np.uint8).reshape(-1, 8)


def _hash_as_made(
    utt_id: pa.ChunkedArray, differs: NDArray[np.bool_], id_hash: NDArray[np.uint64]
) -> None:
    """Give own ids that look like made ones the hash of a made one: they may repeat it."""
    import pyarrow.compute as pc

    alike = pc.match_substring_regex(utt_id, _HEX_ID).to_numpy() & differs
    for row in np.flatnonzero(alike).tolist():
        first = bytes.fromhex(utt_id[row].as_py()[:16])
        id_hash[row] = int.from_bytes(first, "little")


def _hex(*parts: NDArray[np.uint8]) -> pa.Array:
    """Return rows of bytes as text of hex digits; a part one byte wide is put as it is."""
    import pyarrow as pa

    digits = [_HEX[part].view(np.uint8) if part.shape[1] > 1 else part for part in parts]
    text = np.ascontiguousarray(np.concatenate(digits, axis=1))
    count, width = text.shape
    ends = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(ends), pa.py_buffer(text)])


def _bits(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the exact bits of floats as integers, `_MISSING` for null."""
    values = column.to_numpy() + 0.0  # -0.0 and 0.0 are the same time
    bits: NDArray[np.int64] = values.view(np.int64).copy()
    bits[np.isnan(values)] = _MISSING
    return bits


def _halves(digests: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Return MD5s, which Arrow holds as 16 bytes each, as two numbers: shape (rows, 2)."""
    pieces = []
    for chunk in digests.chunks:
        halves = np.frombuffer(chunk.buffers()[1], dtype="<u8")
        pieces.append(halves[2 * chunk.offset : 2 * (chunk.offset + len(chunk))])
    joined = pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, "<u8"), *pieces])
    return joined.reshape(-1, 2)


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the finaliser of SplitMix64: another number for each, in no visible order."""
    value = value + np.uint64(_STEP)
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        value ^= value >> np.uint64(shift)
        value *= np.uint64(factor)
    value ^= value >> np.uint64(31)
    return value


def _sum(digests: NDArray[np.uint64]) -> Fingerprint:
    low, high = np.add.reduce(digests, axis=0, dtype=np.uint64)
    return Fingerprint(int(high), int(low), len(digests))


@functools.cache
def _self_test() -> None:
    """Refuse to work where DuckDB and Arrow do not pass MD5 on as it is.

    Raises:
        ToolError: They do not; fingerprints would not be comparable.
    """
    import pyarrow as pa

    word = pa.table({"word": pa.array(["asrdq"])})
    given = block_query("SELECT md5_number(word) AS digest FROM block", word)["digest"]
    number = int.from_bytes(hashlib.md5(b"asrdq", usedforsecurity=False).digest(), "little")
    if _halves(given).tolist() != [[number % 2**64, number >> 64]]:
        raise ToolError(
            "this version of DuckDB gives other MD5 numbers than expected",
            hint="install the versions that asrdq was tested with (constraints)",
        )
