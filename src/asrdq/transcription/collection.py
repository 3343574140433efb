"""Answers for many clips: local transcribers in processes, servers asked by threads."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Final

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

_TIMEOUT_S: Final = 1800.0
"""Longest time that a batch may take in a worker."""


def answers(
    transcriber: Transcriber, options: TranscriberOptions, tasks: Sequence[ClipTask], workers: int
) -> Iterator[Answer]:
    """Yield the answer of each clip as it is known.

    Args:
        transcriber: One that asks a server has to be loaded.
        options: What workers build theirs from.
        tasks: The clips.
        workers: Processes; 0 for one a core.

    Raises:
        ToolError: The transcriber cannot run; what was answered before has been yielded.
    """
    if transcriber.remote:
        return _from_server(transcriber, tasks, workers)
    return _from_workers(options, tasks, workers, transcriber.batch_size)


def _from_workers(
    options: TranscriberOptions, tasks: Sequence[ClipTask], workers: int, batch_size: int
) -> Iterator[Answer]:
    """Transcribe in batches; the clips of a batch that failed are tried again one by one."""
    rest = iter(tasks)
    batches = iter(lambda: tuple(islice(rest, batch_size)), ())
    alone: list[ClipTask] = []
    outcomes = run_tasks(
        functools.partial(transcribe_batch, options),
        batches,
        workers=workers,
        initializer=start_worker,
        initargs=(options,),
        timeout_s=_TIMEOUT_S,
    )
    for outcome in outcomes:
        if outcome.value is not None:
            yield from outcome.value
        elif len(outcome.item) > 1:
            alone += outcome.item
        else:
            yield _failed(outcome.item[0], outcome.failure)
    if alone:
        yield from _from_workers(options, alone, workers, 1)


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
