"""The parent's hold on one worker process: how it is started, fed, and found dead."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any, Generic

from asrdq.engine.outcome import Failure, FailureKind, Outcome, T
from asrdq.engine.worker import END_MARK, Job, Raised, Returned, SharedFile, work

HELD_PER_WORKER = 3
"""Items a worker holds: the one it works on, and two so that it never waits for the parent."""

LOG_TAIL_BYTES = 600

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS",
    "ARROW_NUM_THREADS",
)
"""Set to 1 in workers unless the user set them: there is a process a core already."""


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(slots=True)
class Task(Generic[T]):
    """An item and how often it was given to a worker."""

    item: T
    attempts: int = 0

    def settled(self, message: Returned | Raised) -> Outcome[T, Any]:
        """Return the outcome that a worker's message makes."""
        if isinstance(message, Returned):
            return Outcome(self.item, message.value, None, self.attempts)
        return self.failed(FailureKind.RAISED, message.detail)

    def failed(self, kind: FailureKind, detail: str) -> Outcome[T, Any]:
        """Return the outcome without a value."""
        return Outcome(self.item, None, Failure(kind, detail), self.attempts)


@dataclass(slots=True, eq=False)
class WorkerProcess(Generic[T]):
    """A running worker, and the items it has been given and not answered yet, oldest first."""

    process: SpawnProcess
    pipe: Connection[Any, Any]
    log: Any
    ready: bool = False
    held: deque[Task[T]] = field(default_factory=deque)
    started: float = 0.0

    @classmethod
    def start(cls, job: Job) -> WorkerProcess[T]:
        """Start a process that works on `job`; it becomes ready later."""
        ours, theirs = multiprocessing.Pipe()
        log = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by kill()
        context = multiprocessing.get_context("spawn")
        process = context.Process(
            target=work, args=(job, theirs, SharedFile(log.fileno())), daemon=True
        )
        with _interrupts_held_back(), _one_thread():
            process.start()
        theirs.close()
        return cls(process, ours, log)

    @property
    def room(self) -> int:
        """How many more items it takes: none beside one that took a worker down before."""
        if self.held and self.held[0].attempts > 1:
            return 0
        return HELD_PER_WORKER - len(self.held)

    def give(self, task: Task[T]) -> None:
        """Send an item; that the worker is dead is met when its answers are read."""
        if not self.held:
            self.started = time.monotonic()
        task.attempts += 1
        self.held.append(task)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send_bytes(ForkingPickler.dumps(task.item))

    def finish(self) -> Task[T]:
        """Take the oldest item off and start the clock for the next."""
        self.started = time.monotonic()
        return self.held.popleft()

    def send_end(self) -> None:
        """Ask the worker to end after what it holds."""
        with contextlib.suppress(OSError):
            self.pipe.send_bytes(END_MARK)

    def kill(self) -> None:
        """End the process now and free what belongs to it."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.pipe.close()
        self.log.close()

    def cause_of_death(self) -> str:
        """Return the signal or exit code, and the last that was printed before it."""
        code = self.process.exitcode
        if code is None:
            cause = "it closed its pipe and did not end"
        elif code < 0:
            cause = f"killed by {_signal_name(-code)}"
        else:
            cause = f"ended with exit code {code}"
        last_words = self._last_words()
        return f"{cause}; last output: {last_words}" if last_words else cause

    def _last_words(self) -> str:
        size = os.fstat(self.log.fileno()).st_size
        tail = os.pread(self.log.fileno(), LOG_TAIL_BYTES, max(0, size - LOG_TAIL_BYTES))
        return " ".join(tail.decode("utf-8", "replace").split())


def _signal_name(number: int) -> str:
    """Return the name of a signal; those of real time have none but the first and the last."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let a process start with Ctrl-C blocked: stopping the workers is the parent's business."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    missing = [name for name in ONE_THREAD if name not in os.environ]
    os.environ.update(dict.fromkeys(missing, "1"))
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]
