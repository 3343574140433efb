"""Many items through the actors of a Ray cluster, of which any may go at any moment.

An actor answers in the order in which it was asked, so that the oldest item it has not answered is
the one that took it down, or the one before, whose answer went with it: tried alone, that is
cleared. Work in flight is bounded three ways: two items an actor, the actors, and the bytes of
items and answers together. An actor that finds no place waits without work, and the others go on;
only where none is running does the wait end in an error.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic

from asrdq.engine.actor import Actor, Parcel, Worker
from asrdq.engine.cluster import connected, lives_on, workers_that_fit
from asrdq.engine.local import MOST_ATTEMPTS
from asrdq.engine.outcome import FailureKind, Outcome, T
from asrdq.engine.worker import Job, NotReady, unpickled
from asrdq.errors import ToolError
from asrdq.version import __version__

if TYPE_CHECKING:
    from asrdq.settings import RaySettings

MOST_LOSSES: Final = 5
"""Nodes that may go while they work on one item, until the item is given up."""
HELD_PER_ACTOR: Final = 2
"""Items an actor holds: the one it works on, and one so that it never waits for the parent."""
_MOST_FALSE_STARTS: Final = 3
_LOOK_EVERY_S: Final = 1.0


def run_there(
    job: Job, items: Iterable[T], workers: int, timeout_s: float | None, cluster: RaySettings
) -> Iterator[Outcome[T, Any]]:
    """Give the outcomes of `asrdq.engine.run_tasks`, worked out by actors of a cluster."""
    with connected(cluster) as ray:
        fitting = workers_that_fit(ray, cluster)
        crew: _Crew[T] = _Crew(ray, job, items, workers or fitting, timeout_s, cluster)
        try:
            crew.fill()
            while crew.actors:
                yield from crew.collect()
                crew.fill()
        finally:
            crew.kill()


class _Crew(Generic[T]):
    """The parent's side: hands out items, reads answers, replaces the dead."""

    def __init__(
        self,
        ray: Any,
        job: Job,
        items: Iterable[T],
        size: int,
        timeout_s: float | None,
        cluster: RaySettings,
    ) -> None:
        self.ray = ray
        self.fresh = iter(items)
        self.size = size
        self.timeout_s = timeout_s
        self.patience_s = cluster.patience_s
        self.share = (cluster.cpus_per_worker, cluster.gpus_per_worker)
        self.job = ray.put(pickle.dumps(job))
        self.kind = ray.remote(Worker).options(
            num_cpus=cluster.cpus_per_worker, num_gpus=cluster.gpus_per_worker
        )
        self.actors: list[Actor[T]] = []
        self.waiting: deque[Parcel[T]] = deque()
        self.suspects: deque[Parcel[T]] = deque()
        self.room = Room(int(cluster.in_flight_mb * 1e6))
        self.idle_since = time.monotonic()
        self.false_starts = 0

    def fill(self) -> None:
        """Give a suspect an actor to itself, everybody else enough to do; end who has nothing."""
        self._hire()
        reserved, free = len(self.suspects), []
        for actor in sorted(self._running(), key=lambda actor: len(actor.held)):
            if reserved:
                reserved -= 1
                if not actor.held:
                    self._give(actor, self.suspects.popleft())
            elif not any(parcel.attempts > 1 for parcel, _ in actor.held):
                free.append(actor)
        self._load(free)
        if not self._left(0):
            for actor in [actor for actor in self.actors if not actor.held]:
                self._dismiss(actor)

    def collect(self) -> Iterator[Outcome[T, Any]]:
        """Wait for answers, deaths or overdue items, and give what is settled by them.

        Raises:
            ToolError: A worker could not start, or none is running and none started in time.
        """
        by_answer = {actor.next_answer: actor for actor in self.actors if actor.busy}
        answers = list(by_answer)
        ready, _ = self.ray.wait(answers, num_returns=1, timeout=self._patience_s())
        if ready:
            ready, _ = self.ray.wait(answers, num_returns=len(answers), timeout=0)
        elif not self._running() and time.monotonic() - self.idle_since > self.patience_s:
            raise ToolError(
                f"no worker is running after {self.patience_s:g} s: the cluster has no room",
                hint=f"it has {_told(self.ray.cluster_resources())} in all, and free are "
                f"{_told(self.ray.available_resources())}; the same command goes on",
            )
        heard = [by_answer[answer] for answer in ready]
        late = [actor for actor in self.actors if self._left_s(actor) <= 0 and actor not in heard]
        for actor in heard:
            yield from self._read(actor)
        for actor in late:
            yield self._time_out(actor)

    def kill(self) -> None:
        """End every actor now."""
        for actor in list(self.actors):
            self._dismiss(actor)

    def _running(self) -> list[Actor[T]]:
        return [actor for actor in self.actors if actor.node_id]

    def _hire(self) -> None:
        """Start actors while there are fewer than asked for, and an item for each."""
        unready = len(self.actors) - len(self._running())
        while len(self.actors) < self.size and self._left(unready):
            handle = self.kind.remote()
            starting = handle.start.remote(self.job, __version__, *self.share, sys.path)
            self.actors.append(Actor(handle, starting))
            unready += 1

    def _left(self, beyond: int) -> bool:
        """Return whether more items than so many wait, and draw them if need be."""
        while len(self.waiting) + len(self.suspects) <= beyond:
            try:
                item = next(self.fresh)
            except StopIteration:
                return False
            self.waiting.append(Parcel(item, packed=pickle.dumps(item)))
        return True

    def _load(self, actors: Sequence[Actor[T]]) -> None:
        """Give each an item before any has a second, while the bytes in flight allow it."""
        for depth in range(HELD_PER_ACTOR):
            for actor in actors:
                if len(actor.held) > depth:
                    continue
                self._left(len(self.suspects))
                if not self.waiting or not self.room.takes(self.waiting[0].packed):
                    return
                self._give(actor, self.waiting.popleft())

    def _give(self, actor: Actor[T], parcel: Parcel[T]) -> None:
        if not actor.held:
            actor.begun = time.monotonic()
        parcel.attempts += 1
        self.room.enter(parcel.packed)
        actor.held.append((parcel, actor.handle.work.remote(parcel.packed)))

    def _read(self, actor: Actor[T]) -> Iterator[Outcome[T, Any]]:
        try:
            if actor.node_id is None:
                self._welcome(actor, self.ray.get(actor.starting))
                return
            while actor.held and self.ray.wait([actor.next_answer], timeout=0)[0]:
                message = self.ray.get(actor.next_answer)
                parcel, _ = actor.held.popleft()
                actor.begun = time.monotonic()
                self.room.leave(parcel.packed, message)
                yield parcel.settled(unpickled(message))
        except self.ray.exceptions.RayError as error:
            yield from self._bury(actor, _cause(error))

    def _welcome(self, actor: Actor[T], answer: Any) -> None:
        if isinstance(answer, NotReady):
            raise ToolError(f"a worker could not start: {answer.detail}")
        actor.node_id = answer
        self.false_starts = 0

    def _bury(self, actor: Actor[T], detail: str) -> list[Outcome[T, Any]]:
        """Take a dead actor's item as suspect, unless its node went, and its other items back."""
        held = [parcel for parcel, _ in actor.held]
        self._dismiss(actor)
        if actor.node_id is None:
            self.false_starts += 1
            if self.false_starts >= _MOST_FALSE_STARTS:
                raise ToolError(f"a worker could not start: {detail}")
            return []
        if not held:
            return []
        culprit, *others = held
        self._take_back(others)
        if lives_on(self.ray, actor.node_id):
            if culprit.attempts < MOST_ATTEMPTS:
                self.suspects.append(culprit)
                return []
            return [culprit.failed(FailureKind.CRASHED, detail)]
        culprit.losses += 1
        if culprit.losses < MOST_LOSSES:
            self._take_back([culprit])
            return []
        lost = f"{culprit.losses} nodes went while they worked on it"
        return [culprit.failed(FailureKind.CRASHED, lost)]

    def _time_out(self, actor: Actor[T]) -> Outcome[T, Any]:
        late, *others = [parcel for parcel, _ in actor.held]
        self._dismiss(actor)
        self._take_back(others)
        return late.failed(FailureKind.TIMED_OUT, f"took more than {self.timeout_s:g} s")

    def _take_back(self, parcels: Iterable[Parcel[T]]) -> None:
        for parcel in parcels:
            parcel.attempts -= 1
            self.waiting.append(parcel)

    def _dismiss(self, actor: Actor[T]) -> None:
        """End an actor, and forget the references that it held."""
        if actor.node_id:
            self.idle_since = time.monotonic()
        for parcel, _ in actor.held:
            self.room.leave(parcel.packed)
        actor.held.clear()
        self.actors.remove(actor)
        self.ray.kill(actor.handle)

    def _patience_s(self) -> float:
        """Return how long to wait for an answer until something else has to be looked at."""
        return max(0.0, min([_LOOK_EVERY_S, *map(self._left_s, self.actors)]))

    def _left_s(self, actor: Actor[T]) -> float:
        if self.timeout_s is None or not actor.held:
            return float("inf")
        return actor.begun + self.timeout_s - time.monotonic()


class Room:
    """How many bytes are in flight: items that were given out, and an answer for each.

    An answer is counted with the size of the largest one so far. One item always has room.

    >>> room = Room(100)
    >>> room.enter(bytes(60))
    >>> room.takes(bytes(60)), room.takes(bytes(40))
    (False, True)
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._given, self._items, self._largest = 0, 0, 0

    def takes(self, packed: bytes) -> bool:
        """Return whether one more item has room, with its answer."""
        after = self._given + len(packed) + (self._items + 1) * self._largest
        return not self._items or after <= self._most

    def enter(self, packed: bytes) -> None:
        """Count an item that was given out."""
        self._given += len(packed)
        self._items += 1

    def leave(self, packed: bytes, answer: bytes = b"") -> None:
        """Take an item off, and know the size of its answer."""
        self._given -= len(packed)
        self._items -= 1
        self._largest = max(self._largest, len(answer))


def _cause(error: Exception) -> str:
    """Return what Ray says of a death, without the ids and the advice around it."""
    lines = [line for line in str(error).splitlines() if line.strip() and line[0] != "\t"]
    return lines[-1].partition(" Some common causes")[0] if lines else type(error).__name__


def _told(resources: dict[str, float]) -> str:
    return f"{resources.get('CPU', 0.0):g} CPUs and {resources.get('GPU', 0.0):g} GPUs"
