"""Locks between processes of one machine; the system frees them when a process dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from asrdq.errors import ToolError

WAIT_S = 300.0
_PAUSE_S = 0.02


@contextmanager
def locked(path: Path, *, wait_s: float = WAIT_S, what: str = "this table") -> Iterator[None]:
    """Hold the lock file alone for as long as the block runs.

    Args:
        path: The lock file.
        wait_s: How long to wait for another process.
        what: What is written meanwhile, for the error.

    Raises:
        ToolError: Another process held it for all of `wait_s`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _wait_for(descriptor, path, wait_s, what)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, path: Path, wait_s: float, what: str) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise ToolError(
                    f"another process has been writing {what} for {wait_s:.0f} s",
                    where=str(path),
                    hint="wait for it, or end it, and run the command again",
                ) from None
            time.sleep(_PAUSE_S)
        else:
            return


class LifeSign:
    """A lock that a process holds while it lives: others can ask whether it still does."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def end(self) -> None:
        """Give the sign up; the file goes away."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def fall_silent(self) -> None:
        """Give the sign up as a process does that dies: the file stays, and nobody holds it."""
        os.close(self._descriptor)


def is_alive(path: Path) -> bool:
    """Return whether some process of this machine still holds the life sign."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False
