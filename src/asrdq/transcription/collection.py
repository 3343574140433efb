"""Answers for many clips: local transcribers in processes, servers asked by threads."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from asrdq.engine import Failure, FailureKind, run_tasks
from asrdq.transcription.protocol import Transcriber, TranscriberOptions, TranscriptionStatus
from asrdq.transcription.work import (
    Answer,
    ClipTask,
    Decoded,
    ask,
    decode_clip,
    start_worker,
    transcribe_batch,
)

if TYPE_CHECKING:
    from asrdq.settings import RaySettings

_TIMEOUT_S: Final = 1800.0
"""Longest time that a batch may take in a worker."""


def answers(
    transcriber: Transcriber,
    options: TranscriberOptions,
    tasks: Sequence[ClipTask],
    workers: int,
    cluster: RaySettings | None = None,
) -> Iterator[Answer]:
    """Yield the answer of each clip as it is known.

    Args:
        transcriber: One that asks a server has to be loaded.
        options: What workers build theirs from.
        tasks: The clips.
        workers: Processes; 0 for one a core, or as many as the cluster has room for.
        cluster: Where a transcriber that asks no server works; None: this machine. With GPUs for
            its workers it has to run on them.

    Raises:
        ToolError: The transcriber cannot run; what was answered before has been yielded.
    """
    if transcriber.remote:
        return _from_server(transcriber, tasks, workers)
    most_s = transcriber.batch_s if options.batch_s is None else options.batch_s
    found = in_batches(tasks, transcriber.batch_size, most_s)
    if cluster is not None:
        if cluster.gpus_per_worker:
            options = dataclasses.replace(options, device="cuda")
        return _from_workers(options, found, workers, cluster)
    most = transcriber.processes
    return _from_workers(options, found, min(workers or most, most) if most else workers, None)


def in_batches(
    tasks: Iterable[ClipTask], most: int, most_s: float
) -> Iterator[tuple[ClipTask, ...]]:
    """Yield clips in batches of like length, the longest first; the same for the same clips.

    Args:
        tasks: The clips.
        most: Clips in a batch.
        most_s: Seconds in a batch, each clip counted as the longest; 0 for any number. A longer
            clip is a batch by itself.
    """
    batch: list[ClipTask] = []
    for task in sorted(tasks, key=lambda task: (-task.duration_s, task.key)):
        long = most_s and batch and (len(batch) + 1) * batch[0].duration_s > most_s
        if batch and (len(batch) == most or long):
            yield tuple(batch)
            batch = []
        batch.append(task)
    if batch:
        yield tuple(batch)


def _from_workers(
    options: TranscriberOptions,
    batches: Iterable[tuple[ClipTask, ...]],
    workers: int,
    cluster: RaySettings | None,
) -> Iterator[Answer]:
    """Transcribe batches; the clips of one that failed are tried again one by one."""
    alone: list[ClipTask] = []
    outcomes = run_tasks(
        functools.partial(transcribe_batch, options),
        batches,
        workers=workers,
        initializer=start_worker,
        initargs=(options,),
        timeout_s=_TIMEOUT_S,
        cluster=cluster,
    )
    for outcome in outcomes:
        if outcome.value is not None:
            yield from outcome.value
        elif len(outcome.item) > 1:
            alone += outcome.item
        else:
            yield _failed(outcome.item[0], outcome.failure)
    if alone:
        yield from _from_workers(options, [(task,) for task in alone], workers, cluster)


def _from_server(
    transcriber: Transcriber, tasks: Sequence[ClipTask], workers: int
) -> Iterator[Answer]:
    """Decode in processes, which may crash, and ask from threads, as many as may be."""
    decoding = functools.partial(decode_clip, transcriber.sample_rate, transcriber.longest_s)
    waiting: set[Future[list[Answer]]] = set()
    with ThreadPoolExecutor(transcriber.concurrency) as pool:
        try:
            for outcome in run_tasks(decoding, tasks, workers=workers, timeout_s=_TIMEOUT_S):
                if isinstance(outcome.value, Decoded):
                    waiting.add(pool.submit(ask, transcriber, [outcome.value]))
                else:
                    yield outcome.value or _failed(outcome.item, outcome.failure)
                while len(waiting) > transcriber.concurrency:
                    yield from _done(waiting)
            while waiting:
                yield from _done(waiting)
        finally:
            transcriber.close()
            pool.shutdown(wait=False, cancel_futures=True)


def _done(waiting: set[Future[list[Answer]]]) -> Iterator[Answer]:
    """Yield the answers that are there, waiting for one; an error comes after the others."""
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    waiting -= done
    for future in sorted(done, key=lambda each: each.exception() is not None):
        yield from future.result()


def _failed(task: ClipTask, failure: Failure | None) -> Answer:
    assert failure is not None
    crashed = failure.kind is FailureKind.CRASHED
    status = TranscriptionStatus.CRASHED if crashed else TranscriptionStatus.FAILED
    return Answer(task.key, status.value, detail=failure.detail)
