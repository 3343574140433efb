"""Results in pieces, so that what was done is written down while the rest is worked on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

MOST_AT_ONCE: Final = 5000
"""What is written in one commit: with its words and evidence about 20 MB of an audit."""


def in_pieces(items: Iterable[T], every_s: float, most: int = MOST_AT_ONCE) -> Iterator[list[T]]:
    """Yield what came in so many seconds, at most so many, as one list; the last may be empty.

    What came before an exception is yielded before it goes on.

    >>> list(in_pieces("abc", 60.0, 2))
    [['a', 'b'], ['c']]
    """
    piece: list[T] = []
    handed_over = time.monotonic()
    try:
        for item in items:
            piece.append(item)
            if len(piece) >= most or time.monotonic() - handed_over >= every_s:
                yield piece
                piece, handed_over = [], time.monotonic()
    except Exception:
        yield piece
        raise
    yield piece
