"""Many items through a few local processes that may crash.

Each worker has a pipe of its own and nothing is shared between workers: no lock that a dying
process can take with it, and no doubt about which item a crash belongs to, because a worker
answers in the order in which it was asked.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any, Generic

from asrdq.engine.outcome import Failure, FailureKind, Outcome, R, T
from asrdq.engine.process import Task, WorkerProcess, available_cores
from asrdq.engine.worker import Job, NotReady, Raised, Ready, Returned, describe
from asrdq.errors import ToolError, UsageError

MOST_ATTEMPTS = 2
STOP_WAIT_S = 5.0


def run_tasks(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int,
    initializer: Callable[..., None] | None = None,
    initargs: tuple[Any, ...] = (),
    timeout_s: float | None = None,
) -> Iterator[Outcome[T, R]]:
    """Call `function` on every item in worker processes that may crash.

    Items are drawn lazily, a few ahead of the answers, so an endless iterable is fine. A worker
    that dies costs the item it was working on, which is tried once more alone in a new worker
    and then reported as crashed; every other item is answered exactly once. Closing the
    iterator, Ctrl-C or the death of this process stops the workers. What workers print goes
    nowhere, except that its end stands in the detail of a crash.

    Args:
        function: An importable function of one item; item and value must pickle. Keep items
            small (a path, not samples).
        items: What to work on.
        workers: Number of processes; 0 is one for each core.
        initializer: Called once in each worker before its first item, to load a model.
        initargs: Arguments of the initializer.
        timeout_s: Seconds an item may take; its worker is then killed. No limit by default.

    Returns:
        An iterator of one outcome an item, in the order in which they are done. It raises
        ToolError where a worker cannot start: its initializer raises, or it dies there.

    Raises:
        UsageError: A negative number of workers.
    """
    if workers < 0:
        raise UsageError(
            f"{workers} workers", hint="give a number of processes, or 0 for all cores"
        )
    job = Job(function, initializer, initargs)
    return _outcomes(_Crew(job, items, workers or available_cores(), timeout_s))


def _outcomes(crew: _Crew[T, R]) -> Iterator[Outcome[T, R]]:
    try:
        crew.fill()
        while any(worker.held for worker in crew.workers):
            done = crew.collect()
            crew.fill()
            yield from done
        crew.dismiss()
    finally:
        crew.kill()


class _Crew(Generic[T, R]):
    """The parent's side: hands out items, reads answers, replaces the dead."""

    def __init__(self, job: Job, items: Iterable[T], size: int, timeout_s: float | None) -> None:
        self.job = job
        self.fresh: Iterator[Task[T]] = map(Task, items)
        self.size = size
        self.timeout_s = timeout_s
        self.workers: list[WorkerProcess[T]] = []
        self.returned: deque[Task[T]] = deque()
        self.suspects: deque[Task[T]] = deque()

    def fill(self) -> None:
        """Give a suspect a new worker to itself, and everybody else enough to do."""
        while self.suspects:
            self._start().give(self.suspects.popleft())
        while self._has_room():
            task = self.returned.popleft() if self.returned else next(self.fresh, None)
            if task is None:
                return
            self._roomiest().give(task)

    def collect(self) -> list[Outcome[T, R]]:
        """Wait for answers, deaths or overdue items, and return what is settled by them."""
        busy = [worker for worker in self.workers if worker.held]
        places: list[Any] = [worker.pipe for worker in busy]
        places += [worker.process.sentinel for worker in busy]
        signalled = wait(places, self._patience_s(busy))
        done: list[Outcome[T, R]] = []
        for worker in busy:
            if worker.pipe in signalled or worker.process.sentinel in signalled:
                done += self._read(worker)
            elif self._left_s(worker) <= 0:
                done.append(self._time_out(worker))
        return done

    def dismiss(self) -> None:
        """Let the workers end by themselves, as far as they do so soon."""
        for worker in self.workers:
            worker.send_end()
        deadline = time.monotonic() + STOP_WAIT_S
        for worker in self.workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))

    def kill(self) -> None:
        """End every worker now."""
        while self.workers:
            self.workers.pop().kill()

    def _start(self) -> WorkerProcess[T]:
        worker: WorkerProcess[T] = WorkerProcess.start(self.job)
        self.workers.append(worker)
        return worker

    def _has_room(self) -> bool:
        return len(self.workers) < self.size or any(worker.room > 0 for worker in self.workers)

    def _roomiest(self) -> WorkerProcess[T]:
        """Return the worker that holds least; a new one rather than make an item wait."""
        roomiest = max(self.workers, key=lambda worker: worker.room, default=None)
        if roomiest is None or (roomiest.held and len(self.workers) < self.size):
            return self._start()
        return roomiest

    def _patience_s(self, busy: list[WorkerProcess[T]]) -> float | None:
        if self.timeout_s is None:
            return None
        waits = [self._left_s(worker) for worker in busy if worker.ready]
        return max(0.0, min(waits)) if waits else None

    def _left_s(self, worker: WorkerProcess[T]) -> float:
        if self.timeout_s is None or not worker.ready:
            return float("inf")
        return worker.started + self.timeout_s - time.monotonic()

    def _read(self, worker: WorkerProcess[T]) -> list[Outcome[T, R]]:
        dead = not worker.process.is_alive()  # asked first: what it sent before is in the pipe
        done: list[Outcome[T, R]] = []
        try:
            while worker.pipe.poll():
                message = _unpickled(worker.pipe.recv_bytes())
                if isinstance(message, NotReady):
                    raise ToolError(f"a worker could not start: {message.detail}")
                if isinstance(message, Ready):
                    worker.ready, worker.started = True, time.monotonic()
                    continue
                done.append(_answered(worker.finish(), message))
        except (EOFError, OSError):
            dead = True
        if dead:
            done += self._bury(worker)
        return done

    def _bury(self, worker: WorkerProcess[T]) -> list[Outcome[T, R]]:
        """Take a dead worker's item as suspect and its other items back."""
        worker.process.join(STOP_WAIT_S)
        detail = worker.cause_of_death()
        self.workers.remove(worker)
        held = worker.held
        worker.kill()
        if not worker.ready:
            raise ToolError(
                f"a worker could not start: {detail}",
                hint="a script that starts workers needs `if __name__ == '__main__':` around it",
            )
        if not held:
            return []
        culprit = held.popleft()
        self._take_back(held)
        if culprit.attempts < MOST_ATTEMPTS:
            self.suspects.append(culprit)
            return []
        return [_failed(culprit, FailureKind.CRASHED, detail)]

    def _time_out(self, worker: WorkerProcess[T]) -> Outcome[T, R]:
        self.workers.remove(worker)
        worker.kill()
        late = worker.held.popleft()
        self._take_back(worker.held)
        return _failed(late, FailureKind.TIMED_OUT, f"took more than {self.timeout_s:g} s")

    def _take_back(self, tasks: deque[Task[T]]) -> None:
        for task in tasks:
            task.attempts -= 1
        self.returned.extend(tasks)


def _unpickled(message: bytes) -> Any:
    try:
        return pickle.loads(message)
    except Exception as error:
        return Raised(f"the value cannot be read back ({describe(error)})")


def _answered(task: Task[T], message: Returned | Raised) -> Outcome[T, R]:
    if isinstance(message, Returned):
        return Outcome(task.item, message.value, None, task.attempts)
    return _failed(task, FailureKind.RAISED, message.detail)


def _failed(task: Task[T], kind: FailureKind, detail: str) -> Outcome[T, Any]:
    return Outcome(task.item, None, Failure(kind, detail), task.attempts)
