"""Work of compiled code in a few threads of this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_threads(
    work: Callable[[T], R], items: Iterable[T], threads: int, ahead: int | None = None
) -> Iterator[tuple[T, R]]:
    """Give each item with its answer, in order, while a few items are worked on or wait.

    Args:
        work: What is done with an item, in a thread; what it raises comes where its answer would.
        items: Taken as they are needed, so that there may be more than memory holds.
        threads: How many work at once.
        ahead: Items that are worked on or done and not given yet; as many as threads unless told.
    """
    most = threads if ahead is None else ahead
    waiting: deque[tuple[T, Future[R]]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > most:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
