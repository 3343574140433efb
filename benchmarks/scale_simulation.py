"""An audit on a thousand GPUs, simulated: stragglers, lost machines, and the one writer.

    python benchmarks/scale_simulation.py [--gpus 1000] [--hours 10000] [--seed 7] …

Workers hold two batches each, as in `asrdq.engine.distributed`. One parent takes answers one after
the other, hands out the next batch, and commits after two seconds or 5,000 rows. What a batch, an
answer and a commit cost are arguments; their defaults are what `ray_overhead.py` measured.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

HELD = 2
COMMIT_EVERY_S, COMMIT_ROWS = 2.0, 5000


@dataclass(frozen=True)
class Fleet:
    """Workers and what they and the parent cost.

    Attributes:
        workers: How many.
        answer_s: The parent's time for a batch, whatever is in it.
        row_s: Its time for each clip of it.
        commit_s: Its time for a commit.
        losses_per_hour: How often a worker's machine goes, for each worker.
        away_s: How long it takes until another has its place, model loaded.
        slow_share: Share of workers on a machine that is slow.
        slow_factor: How many times as long it takes.
    """

    workers: int
    answer_s: float = 0.0
    row_s: float = 0.0
    commit_s: float = 0.0
    losses_per_hour: float = 0.0
    away_s: float = 0.0
    slow_share: float = 0.0
    slow_factor: float = 1.0


@dataclass
class Run:
    """What happened.

    Attributes:
        seconds: Until the last commit.
        commits: How many.
        lost_s: Work that was begun and lost with its machine.
        losses: Machines that went in the middle of a batch.
        waited_s: Seconds that workers had nothing to do although batches were left.
        parent_s: Seconds that the parent worked.
        idle_from_s: When the first worker had nothing more to do.
        longest_queue: Most answers that waited for the parent.
    """

    seconds: float = 0.0
    commits: int = 0
    lost_s: float = 0.0
    losses: int = 0
    waited_s: float = 0.0
    parent_s: float = 0.0
    idle_from_s: float | None = None
    longest_queue: int = 0


@dataclass
class Worker:
    """A worker: the batches it holds, and the number of its life, which a loss ends."""

    slow: float
    held: deque[int] = field(default_factory=deque)
    life: int = 0
    idle_since: float = 0.0
    began: float = 0.0
    up: bool = True


class Simulation:
    """One audit. Batches are seconds of work on a worker that is not slow, in their order."""

    def __init__(self, batches: Sequence[float], rows: int, fleet: Fleet, seed: int) -> None:
        self.batches, self.rows, self.fleet = batches, rows, fleet
        self.chance = random.Random(seed)
        self.left = deque(range(len(batches)))
        slow = round(fleet.slow_share * fleet.workers)
        self.workers = [
            Worker(fleet.slow_factor if at < slow else 1.0) for at in range(fleet.workers)
        ]
        self.events: list[tuple[float, int, str, int, int]] = []
        self.answers: deque[tuple[float, int]] = deque()
        self.run = Run()
        self.parent_free, self.pending, self.committed = 0.0, 0, 0.0
        self.done = 0

    def simulate(self) -> Run:
        """Return what happens until everything is committed."""
        for _ in range(HELD):
            for at in range(len(self.workers)):
                self._give(at, 0.0)
        while self.done < len(self.batches):
            now, _, what, at, life = heapq.heappop(self.events)
            worker = self.workers[at]
            if what == "parent":
                self._take(now)
            elif what == "handed":
                self._give(at, now)
            elif what == "back":
                worker.up, worker.idle_since = True, now
                for _ in range(HELD):
                    self._give(at, now)
            elif worker.life == life and what == "answer":
                self.answers.append((now, at))
                self._wake(now)
                worker.held.popleft()
                self._begin(at, now)
            elif worker.life == life:
                self._lose(at, now)
        if self.pending:
            self._commit(self.parent_free)
        self.run.seconds = self.parent_free
        return self.run

    def _at(self, when: float, what: str, worker: int) -> None:
        life = self.workers[worker].life
        heapq.heappush(self.events, (when, len(self.events), what, worker, life))

    def _give(self, at: int, now: float) -> None:
        worker = self.workers[at]
        if not self.left or not worker.up or len(worker.held) >= HELD:
            return
        worker.held.append(self.left.popleft())
        if len(worker.held) == 1:
            self.run.waited_s += now - worker.idle_since
            self._begin(at, now)

    def _begin(self, at: int, now: float) -> None:
        worker, fleet = self.workers[at], self.fleet
        worker.life += 1
        if not worker.held:
            worker.idle_since = now
            if not self.left and self.run.idle_from_s is None:
                self.run.idle_from_s = now
            return
        worker.began = now
        takes = self.batches[worker.held[0]] * worker.slow
        rate = fleet.losses_per_hour / 3600
        lost = self.chance.expovariate(rate) if rate else float("inf")
        self._at(now + min(takes, lost), "answer" if takes <= lost else "loss", at)

    def _lose(self, at: int, now: float) -> None:
        worker = self.workers[at]
        self.run.lost_s += now - worker.began
        self.run.losses += 1
        self.left.extend(worker.held)
        worker.held.clear()
        worker.up = False
        worker.life += 1
        self._at(now + self.fleet.away_s, "back", at)
        for other in range(len(self.workers)):
            if self.workers[other].up and not self.workers[other].held:
                self._give(other, now)

    def _wake(self, now: float) -> None:
        """Have the parent look at its answers as soon as it is free."""
        self.run.longest_queue = max(self.run.longest_queue, len(self.answers))
        if len(self.answers) == 1:
            self._at(max(now, self.parent_free), "parent", 0)

    def _take(self, now: float) -> None:
        _, at = self.answers.popleft()
        self._work(now, self.fleet.answer_s + self.rows * self.fleet.row_s)
        self.pending += self.rows
        self.done += 1
        if self.pending >= COMMIT_ROWS or self.parent_free - self.committed >= COMMIT_EVERY_S:
            self._commit(self.parent_free)
        self._at(self.parent_free, "handed", at)
        if self.answers:
            self._at(self.parent_free, "parent", 0)

    def _commit(self, now: float) -> None:
        self._work(now, self.fleet.commit_s)
        self.run.commits += 1
        self.pending, self.committed = 0, self.parent_free

    def _work(self, now: float, seconds: float) -> None:
        self.parent_free = now + seconds
        self.run.parent_s += seconds


def main() -> None:
    """Simulate the audit that the arguments describe, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpus", type=int, default=1000)
    parser.add_argument("--workers-per-gpu", type=int, default=1)
    parser.add_argument("--hours", type=float, default=10_000.0)
    parser.add_argument("--clip-s", type=float, default=10.0)
    parser.add_argument("--clips", type=int, default=32, help="in a batch")
    parser.add_argument("--speed", type=float, default=60.0, help="× real time of a GPU")
    parser.add_argument("--spread", type=float, default=0.3, help="of a batch's time, as a share")
    parser.add_argument("--answer-ms", type=float, default=0.377)
    parser.add_argument("--row-ms", type=float, default=0.082)
    parser.add_argument("--commit-s", type=float, default=0.06)
    parser.add_argument("--losses-per-hour", type=float, default=0.05)
    parser.add_argument("--away-s", type=float, default=180.0)
    parser.add_argument("--slow-share", type=float, default=0.01)
    parser.add_argument("--slow-factor", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    workers = asked.gpus * asked.workers_per_gpu
    mean_s = asked.clips * asked.clip_s / asked.speed * asked.workers_per_gpu
    count = round(asked.hours * 3600 / asked.clip_s / asked.clips)
    chance = random.Random(asked.seed)
    batches = [max(0.1, chance.gauss(1.0, asked.spread)) * mean_s for _ in range(count)]
    fleet = Fleet(
        workers=workers,
        answer_s=asked.answer_ms / 1000,
        row_s=asked.row_ms / 1000,
        commit_s=asked.commit_s,
        losses_per_hour=asked.losses_per_hour,
        away_s=asked.away_s,
        slow_share=asked.slow_share,
        slow_factor=asked.slow_factor,
    )
    run = Simulation(batches, asked.clips, fleet, asked.seed).simulate()
    ideal_s = sum(batches) / workers
    figures = {
        "batches": count,
        "batch_s": round(statistics.mean(batches), 2),
        "ideal_s": round(ideal_s, 1),
        "seconds": round(run.seconds, 1),
        "efficiency": round(ideal_s / run.seconds, 3),
        "last_idle_s": round(run.seconds - (run.idle_from_s or run.seconds), 1),
        "parent_busy": round(run.parent_s / run.seconds, 3),
        "clips_per_second": round(count * asked.clips / run.seconds),
        "commits": run.commits,
        "commits_per_minute": round(60 * run.commits / run.seconds, 1),
        "longest_queue": run.longest_queue,
        "machines_lost": run.losses,
        "work_lost_share": round(run.lost_s / sum(batches), 6),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
