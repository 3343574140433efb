"""Batches that do not fit into memory are halved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from asrdq.models.devices import free_memory

T = TypeVar("T")
R = TypeVar("R")

_NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")


class NoMemoryError(Exception):
    """There is no memory even for one item by itself."""


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error of torch means that memory ran out, on a GPU or on the CPU."""
    return isinstance(error, (RuntimeError, MemoryError)) and (
        isinstance(error, MemoryError) or any(said in str(error).lower() for said in _NO_MEMORY)
    )


def in_halves(
    work: Callable[[Sequence[T]], Sequence[R]],
    items: Sequence[T],
    failed: Callable[[T, NoMemoryError], R],
) -> list[R]:
    """Return what `work` gives for items, in halves where there is no memory for all together.

    Args:
        work: Called with all items, or with fewer where memory ran out.
        items: In the order of the answers.
        failed: Gives the answer for an item that does not fit by itself.
    """
    try:
        return list(work(items)) if items else []
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(items) == 1:
            return [failed(items[0], NoMemoryError(str(error).splitlines()[0]))]
    free_memory()
    half = len(items) // 2
    return in_halves(work, items[:half], failed) + in_halves(work, items[half:], failed)
