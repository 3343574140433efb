"""The worker's side: a process that takes items from its pipe and sends answers back in order."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd, ForkingPickler
from queue import SimpleQueue
from typing import Any

from asrdq.errors import AsrdqError

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2

END_MARK = b""
"""Sent instead of a pickled item: there is no more."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker does: prepare once, then call `function` on each item."""

    function: Callable[[Any], Any]
    initializer: Callable[..., None] | None
    initargs: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """The initializer returned: the worker takes items now."""


@dataclass(frozen=True, slots=True)
class NotReady:
    """The initializer raised."""

    detail: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The function returned for the oldest item the worker holds."""

    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    """The function raised for the oldest item the worker holds."""

    detail: str


class SharedFile:
    """An open file that a spawned process inherits when it is among its arguments."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> tuple[Callable[[Any], SharedFile], tuple[Any]]:
        return _inherit, (DupFd(self.descriptor),)


def _inherit(duplicate: Any) -> SharedFile:
    return SharedFile(duplicate.detach())


def work(job: Job, pipe: Connection, log: SharedFile) -> None:
    """Answer items until the parent sends the end mark or goes away.

    Args:
        job: The function and what prepares the worker for it.
        pipe: Items come in and answers go out here, in the same order.
        log: Takes what libraries print, so that it can neither spoil machine output nor be
            lost when it says why they crash.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.dup2(log.descriptor, STANDARD_OUTPUT)
    os.dup2(log.descriptor, STANDARD_ERROR)
    inbox: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, inbox), daemon=True).start()
    try:
        if job.initializer is not None:
            job.initializer(*job.initargs)
    except BaseException as error:
        pipe.send(NotReady(describe(error)))
        return
    pipe.send(Ready())
    while (packed := inbox.get()) != END_MARK:
        pipe.send_bytes(answer(job.function, packed))
        os.ftruncate(log.descriptor, 0)
        os.lseek(log.descriptor, 0, os.SEEK_SET)


def describe(error: BaseException) -> str:
    """Return an exception as `Type: message`; one that is meant for people as its first line."""
    message = str(error)
    if isinstance(error, AsrdqError):
        return message.partition("\n")[0]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _receive(pipe: Connection, inbox: SimpleQueue[bytes]) -> None:
    """Keep the pipe empty, so that the parent never waits to send; end with the parent.

    An item is unpickled where it is worked on: one that cannot be fails as an item.
    """
    try:
        while True:
            packed = pipe.recv_bytes()
            inbox.put(packed)
            if packed == END_MARK:
                return
    except (EOFError, OSError, MemoryError):
        os._exit(1)


def answer(function: Callable[[Any], Any], packed: bytes) -> bytes | memoryview:
    """Return a pickled `Returned` or `Raised` for a pickled item."""
    try:
        return ForkingPickler.dumps(Returned(function(pickle.loads(packed))))
    except BaseException as error:
        return pickle.dumps(Raised(describe(error)))


def unpickled(message: bytes) -> Any:
    """Return a message of a worker; one that cannot be read is a `Raised`."""
    try:
        return pickle.loads(message)
    except Exception as error:
        return Raised(f"the value cannot be read back ({describe(error)})")
