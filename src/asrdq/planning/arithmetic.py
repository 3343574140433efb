"""The arithmetic of a training run: batches, steps, validation, warm-up."""

from __future__ import annotations

import math
from dataclasses import dataclass

SMALL_ROWS, SMALL_WARMUP = 100, 5
MIDDLING_ROWS, MIDDLING_WARMUP = 1_000, 50
LARGE_WARMUP, LARGEST_WARMUP = 500, 2_500
LARGEST_WARMUP_SHARE = 0.10


def effective_batch(batch_size: int, accumulation: int, gpus: int) -> int:
    """Return the clips of a step.

    >>> effective_batch(2, 16, 2), effective_batch(4, 2, 8)
    (64, 64)
    """
    return batch_size * accumulation * gpus


@dataclass(frozen=True, slots=True)
class Accumulation:
    """Passes a step that give an effective batch, or the nearest two where it does not divide.

    Attributes:
        target: The effective batch that was asked for.
        passes: What gives it, or comes nearest; the smaller one where both are as near.
        nearest: Choices with the effective batch of each: one if it divides, else two, or one
            if a single pass is too many already.
    """

    target: int
    passes: int
    nearest: tuple[tuple[int, int], ...]

    @property
    def divides(self) -> bool:
        """Whether the target is met."""
        return self.nearest[0][1] == self.target


def accumulation_for(target: int, batch_size: int, gpus: int) -> Accumulation:
    """Return how many passes of all GPUs make a step of `target` clips.

    >>> accumulation_for(64, 2, 8).passes
    4
    >>> accumulation_for(64, 3, 2).nearest
    ((10, 60), (11, 66))
    """
    one = batch_size * gpus
    below, left = divmod(target, one)
    counts = [below] if not left else [count for count in (below, below + 1) if count]
    nearest = tuple((count, count * one) for count in counts)
    best = min(nearest, key=lambda choice: abs(choice[1] - target))
    return Accumulation(target, best[0], nearest)


def steps_of_rows(rows: int, effective: int) -> int:
    """Return the steps of an epoch whose batches are counted in clips; the last may be smaller.

    >>> steps_of_rows(186_812, 64)
    2919
    """
    return math.ceil(rows / effective)


def steps_of_seconds(hours: float, batch_duration_s: float, gpus: int) -> int:
    """Return the full steps of an epoch whose batches are counted in seconds; at least 1.

    >>> steps_of_seconds(2000, 2200, 4)
    818

    Args:
        hours: Audio of the epoch.
        batch_duration_s: Seconds a GPU and step; where gradients are accumulated, of all passes.
        gpus: GPUs of all nodes.
    """
    return max(1, int(hours * 3600 / (batch_duration_s * gpus)))


def scheduler_steps(rows: int, batch_size: int, epochs: int) -> int:
    """Return the steps that many scripts tell their scheduler: without the last, smaller batch.

    The trainer makes `steps_of_rows(…) × epochs`, which is more unless the batch divides the rows.

    >>> scheduler_steps(948, 16, 20)
    1185
    """
    return int(rows / batch_size * epochs)


def validation_interval(steps_per_epoch: int, per_epoch: int) -> int:
    """Return the steps between validations.

    >>> validation_interval(818, 2)
    409
    """
    return max(1, steps_per_epoch // per_epoch)


def warmup_for(rows: int, hours: float, steps: int) -> int:
    """Return the steps of warm-up that suit the data.

    5 under 100 rows, 50 under 1,000; from there on 500, and one more for each hour of audio, up
    to 2,500 for 2,000 hours, in whole fifties. Never more than 10 % of the steps, and at least 1.

    >>> warmup_for(948, 0.71, 1200), warmup_for(50_000, 2000, 50_000)
    (50, 2500)
    """
    if rows < SMALL_ROWS:
        wanted = SMALL_WARMUP
    elif rows < MIDDLING_ROWS:
        wanted = MIDDLING_WARMUP
    else:
        wanted = min(LARGEST_WARMUP, round((LARGE_WARMUP + hours) / 50) * 50)
    return max(1, min(wanted, int(steps * LARGEST_WARMUP_SHARE)))
