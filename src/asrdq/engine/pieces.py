"""Results in pieces, so that what was done is written down while the rest is worked on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def in_pieces(items: Iterable[T], every_s: float) -> Iterator[list[T]]:
    """Yield what came in so many seconds, as one list; the last one may be empty.

    What came before an exception is yielded before it goes on.

    >>> list(in_pieces("abc", 60.0))
    [['a', 'b', 'c']]
    """
    piece: list[T] = []
    handed_over = time.monotonic()
    try:
        for item in items:
            piece.append(item)
            if time.monotonic() - handed_over >= every_s:
                yield piece
                piece, handed_over = [], time.monotonic()
    except Exception:
        yield piece
        raise
    yield piece
