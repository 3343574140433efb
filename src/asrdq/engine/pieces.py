"""Results in pieces, so that what was done is written down while the rest is worked on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_LOOK_UP_S: Final = 0.2
"""How long a wait holds Ctrl-C up at most: polars has none come through one without an end."""
MOST_AT_ONCE: Final = 5000
"""What is written in one commit: with its words and evidence about 20 MB of an audit."""


def commit_in_pieces(
    items: Iterable[T],
    commit: Callable[[list[T]], None],
    every_s: float = 2.0,
    most: int = MOST_AT_ONCE,
) -> None:
    """Commit items as they come, also while the next one is waited for.

    What came before an exception, Ctrl-C too, is committed before it goes on. After a commit that
    failed there is no other: its exception is raised when the next item comes.

    Args:
        items: Drawn in the calling thread.
        commit: Called in another thread, once after the other and never with an empty list.
        every_s: How long an item waits for its commit at most, but for the end of the one before.
        most: Items in a commit; while so many wait, no other is drawn.

    >>> commit_in_pieces("abc", print, 60.0, 2)
    ['a', 'b']
    ['c']
    """
    writer = _Writer(commit, every_s, most)
    try:
        for item in items:
            writer.add(item)
    finally:
        writer.end()


class _Writer(Generic[T]):
    """A thread that commits: Ctrl-C does not break into it, nor does a wait hold it up."""

    def __init__(self, commit: Callable[[list[T]], None], every_s: float, most: int) -> None:
        self._commit, self._every_s, self._most = commit, every_s, most
        self._waiting: list[T] = []
        self._open = True
        self._failure: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def add(self, item: T) -> None:
        """Have an item committed; raises what a commit raised."""
        with self._changed:
            while not self._changed.wait_for(self._may_go_on, _LOOK_UP_S):
                pass
            if self._failure is not None:
                raise self._failure
            self._waiting.append(item)
            if len(self._waiting) == self._most:
                self._changed.notify_all()

    def end(self) -> None:
        """Have what is left committed; raises what a commit raised."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        while self._thread.is_alive():
            self._thread.join(_LOOK_UP_S)
        if self._failure is not None:
            raise self._failure

    def _may_go_on(self) -> bool:
        return self._failure is not None or len(self._waiting) < self._most

    def _write(self) -> None:
        try:
            while self._open or self._waiting:
                if piece := self._next_piece():
                    self._commit(piece)
        except BaseException as failure:
            with self._changed:
                self._failure = failure
                self._changed.notify_all()

    def _next_piece(self) -> list[T]:
        """Wait until it is time or many have come, and take them."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._open or len(self._waiting) >= self._most, self._every_s
            )
            piece, self._waiting = self._waiting, []
            self._changed.notify_all()
            return piece
