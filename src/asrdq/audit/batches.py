"""Which clips an aligner is given at once: so many at most, and so much audio at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asrdq.audit.examination import ClipTask

Batch = tuple[ClipTask, ...]


def batches(tasks: Sequence[ClipTask], most: int, most_s: float | None) -> Iterator[Batch]:
    """Give the tasks in batches.

    With a limit of audio the longest clips come first: batches are of clips of like length, and
    none that takes long is left for the end. A clip of unknown length has a batch to itself, and
    so has one that is longer than the limit.

    Args:
        tasks: What to align.
        most: Most clips of a batch.
        most_s: Most seconds of audio of a batch; None: any, and the order stays.
    """
    if most_s is None:
        yield from (tuple(tasks[at : at + most]) for at in range(0, len(tasks), most))
        return
    batch: list[ClipTask] = []
    filled_s = 0.0
    for task in sorted(tasks, key=lambda task: -_length_s(task, most_s)):
        length_s = _length_s(task, most_s)
        if batch and (len(batch) == most or filled_s + length_s > most_s):
            yield tuple(batch)
            batch, filled_s = [], 0.0
        batch.append(task)
        filled_s += length_s
    if batch:
        yield tuple(batch)


def _length_s(task: ClipTask, unknown_s: float) -> float:
    return unknown_s if task.stated_s is None else task.stated_s
