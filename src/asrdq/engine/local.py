"""Many items through a few local processes that may crash.

Each worker has a pipe of its own and nothing is shared between workers: no lock that a dying
process can take with it, and no doubt about which item a crash belongs to, because a worker
answers in the order in which it was asked.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any, Generic

from asrdq.engine.outcome import FailureKind, Outcome, R, T
from asrdq.engine.process import Task, WorkerProcess, available_cores
from asrdq.engine.worker import Job, NotReady, Ready, unpickled
from asrdq.errors import ToolError

MOST_ATTEMPTS = 2
STOP_WAIT_S = 5.0


def run_here(
    job: Job, items: Iterable[T], workers: int, timeout_s: float | None
) -> Iterator[Outcome[T, Any]]:
    """Give the outcomes of `asrdq.engine.run_tasks`, worked out in processes of this machine."""
    crew: _Crew[T, Any] = _Crew(job, items, workers or available_cores(), timeout_s)
    try:
        crew.fill()
        while any(worker.held for worker in crew.workers):
            yield from crew.collect()
            crew.fill()
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

    def collect(self) -> Iterator[Outcome[T, R]]:
        """Wait for answers, deaths or overdue items, and give what is settled by them.

        Raises:
            ToolError: A worker could not start.
        """
        busy = [worker for worker in self.workers if worker.held]
        places: list[Any] = [worker.pipe for worker in busy]
        places += [worker.process.sentinel for worker in busy]
        signalled = wait(places, self._patience_s(busy))
        heard = [
            worker
            for worker in busy
            if worker.pipe in signalled or worker.process.sentinel in signalled
        ]
        late = [worker for worker in busy if self._left_s(worker) <= 0 and worker not in heard]
        for worker in heard:
            yield from self._read(worker)
        for worker in late:
            yield self._time_out(worker)

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

    def _read(self, worker: WorkerProcess[T]) -> Iterator[Outcome[T, R]]:
        dead = not worker.process.is_alive()  # asked first: what it sent before is in the pipe
        try:
            while worker.pipe.poll():
                message = unpickled(worker.pipe.recv_bytes())
                if isinstance(message, NotReady):
                    raise ToolError(f"a worker could not start: {message.detail}")
                if isinstance(message, Ready):
                    worker.ready, worker.started = True, time.monotonic()
                    continue
                yield worker.finish().settled(message)
        except (EOFError, OSError):
            dead = True
        if dead:
            yield from self._bury(worker)

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
        return [culprit.failed(FailureKind.CRASHED, detail)]

    def _time_out(self, worker: WorkerProcess[T]) -> Outcome[T, R]:
        self.workers.remove(worker)
        worker.kill()
        late = worker.held.popleft()
        self._take_back(worker.held)
        return late.failed(FailureKind.TIMED_OUT, f"took more than {self.timeout_s:g} s")

    def _take_back(self, tasks: deque[Task[T]]) -> None:
        for task in tasks:
            task.attempts -= 1
        self.returned.extend(tasks)
