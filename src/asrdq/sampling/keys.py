"""A number for each utterance that orders the draw, the same on every machine and version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Keys = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def draw_keys(utt_id: pa.Array, seed: int) -> Keys:
    """Return a 64-bit key for each utterance id: a stratum's clips are drawn in its order.

    The key depends on the id and the seed alone, so appended rows never change the order of
    those that were there. It folds the id's UTF-8 bytes, eight at a time and little-endian,
    through the finaliser of SplitMix64 (Steele, Lea and Flood 2014).

    Args:
        utt_id: Arrow strings without nulls, shape (rows,).
        seed: Seed of the draw, any integer.
    """
    import pyarrow as pa

    if len(utt_id) == 0:
        return np.empty(0, np.uint64)
    if pa.types.is_large_string(utt_id.type) or not pa.types.is_string(utt_id.type):
        utt_id = utt_id.cast(pa.string())
    _, ends, data = utt_id.buffers()
    bounds = np.frombuffer(ends, np.int32)[utt_id.offset : utt_id.offset + len(utt_id) + 1]
    start = bounds[:-1].astype(np.int64) - bounds[0]
    length = np.diff(bounds).astype(np.int64)
    taken = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]] if data else np.empty(0, np.uint8)
    padded = np.concatenate([taken, np.zeros(8, np.uint8)])
    return _fold(padded, start, length, seed)


def _fold(
    data: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64], seed: int
) -> Keys:
    words = np.ndarray((len(data) - 7,), np.dtype("<u8"), data, strides=(1,))
    key = _mix(length.astype(np.uint64) ^ _mix(np.array([seed % 2**64], np.uint64)))
    shortest, longest = int(length.min()), int(length.max())
    if shortest == longest > 0:
        even = np.zeros((len(length), -(-longest // 8) * 8), np.uint8)
        even[:, :longest] = data[:-8].reshape(-1, longest)
        for word in even.view("<u8").T:
            key = _mix(key ^ word)
        return key
    for done in range(0, longest, 8):
        if shortest >= done + 8:
            key = _mix(key ^ words[start + done])
            continue
        here = np.flatnonzero(length > done)
        left = np.minimum(length[here] - done, 8)
        kept = np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(64) - np.uint64(8) * left.astype("u8"))
        key[here] = _mix(key[here] ^ (words[start[here] + done] & kept))
    return key


def _mix(value: Keys) -> Keys:
    value = value + _GOLDEN
    for shift, factor in ((np.uint64(30), _FIRST), (np.uint64(27), _SECOND)):
        value ^= value >> shift
        value *= factor
    value ^= value >> np.uint64(31)
    return value
