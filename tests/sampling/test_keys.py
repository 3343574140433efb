"""The order of the draw: pinned values, so that no machine or version may change it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from asrdq.sampling.keys import draw_keys

MASK = 2**64 - 1


def mix(value: int) -> int:
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def plain_key(text: str, seed: int) -> int:
    """The same in plain integers, one id at a time."""
    data = text.encode()
    key = mix(len(data) ^ mix(seed % 2**64))
    for start in range(0, len(data), 8):
        key = mix(key ^ int.from_bytes(data[start : start + 8], "little"))
    return key


def test_splitmix_is_the_published_one() -> None:
    # First output of SplitMix64 seeded with 0, as in Vigna's reference code.
    assert mix(0) == 0xE220A8397B1DCDAF


def test_keys_never_change() -> None:
    keys = draw_keys(pa.array(["clip-00001", "", "שלום-7"]), seed=42)
    assert keys.tolist() == [plain_key(text, 42) for text in ("clip-00001", "", "שלום-7")]
    assert keys[0] == 15440295093364475479


@given(st.lists(st.text(max_size=40), max_size=30), st.integers(-(2**70), 2**70))
def test_keys_equal_the_plain_computation(texts: list[str], seed: int) -> None:
    assert draw_keys(pa.array(texts, pa.string()), seed).tolist() == [
        plain_key(text, seed) for text in texts
    ]


def test_slices_and_large_strings_give_the_same_keys() -> None:
    ids = pa.array([f"id{'x' * (n % 20)}{n}" for n in range(100)])
    whole = draw_keys(ids, 1)
    assert np.array_equal(draw_keys(ids.slice(17, 50), 1), whole[17:67])
    assert np.array_equal(draw_keys(ids.cast(pa.large_string()), 1), whole)


def test_keys_are_spread_evenly() -> None:
    keys = draw_keys(pa.array([f"clip-{n:06d}" for n in range(100_000)]), 42)
    counts = np.bincount((keys >> np.uint64(58)).astype(int), minlength=64)
    # Chi-square with 63 degrees of freedom is below 104 with probability 0.999.
    assert ((counts - 100_000 / 64) ** 2 / (100_000 / 64)).sum() < 104
