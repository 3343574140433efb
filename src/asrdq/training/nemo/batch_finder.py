"""The largest batch that trains on this machine, found by training on it.

Importing this module imports torch.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Final

import torch

from asrdq.training.preflight import BatchFound

SEARCH_S: Final = 300.0
_NO_MEMORY: Final = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc")


def largest_batch(
    attempt: Callable[[int], None],
    *,
    asked: int,
    bound: int,
    longest_s: float,
    seconds: float = SEARCH_S,
) -> BatchFound:
    """Search the largest batch: doubled until it does not fit, then halved in between.

    Args:
        attempt: Trains on a batch of so many clips; it raises where memory is not enough.
        asked: Clips that the recipe asks for; they are tried whatever the time.
        bound: No larger batch is tried.
        longest_s: Seconds of the clips.
        seconds: After so long no larger batch is tried.

    Raises:
        Exception: Whatever `attempt` raises that is not about memory.
    """
    tried: dict[int, bool] = {}
    began = time.monotonic()

    def fits(clips: int) -> bool:
        if clips not in tried:
            tried[clips] = _fits(attempt, clips)
        return tried[clips]

    low, high = 0, bound + 1
    size = min(asked, bound)
    while size < high and size > low and (size <= asked or time.monotonic() - began < seconds):
        if fits(size):
            low = size
            size = min(2 * size, bound)
        else:
            high = size
            break
    while high - low > 1 and high <= bound and time.monotonic() - began < seconds:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return BatchFound(low, longest_s, asked, bound, tuple(tried.items()))


def _fits(attempt: Callable[[int], None], clips: int) -> bool:
    try:
        attempt(clips)
    except (torch.OutOfMemoryError, MemoryError):
        pass
    except RuntimeError as error:
        if not any(each in str(error) for each in _NO_MEMORY):
            raise
    else:
        return True
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return False
