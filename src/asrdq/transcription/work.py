"""What is done with clips: decoded and transcribed in a worker, or decoded there for a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from asrdq.audio import AudioError, AudioReason, NotFetchedError, decode
from asrdq.transcription.backends import build_transcriber
from asrdq.transcription.protocol import (
    TimedWord,
    Transcriber,
    TranscriberOptions,
    Transcription,
    TranscriptionStatus,
)


@dataclass(frozen=True, slots=True)
class ClipTask:
    """One clip to transcribe.

    Attributes:
        key: Content key of the answer in the cache.
        path: The audio file.
        offset_s: Where the clip starts in it.
        length_s: How long it is; None to the end of the file.
        language: Code of its language.
        readable: Whether the bytes of the file could be read before.
        duration_s: How long the manifest says it is, which batches go by.
    """

    key: str
    path: str
    offset_s: float
    length_s: float | None
    language: str
    readable: bool = True
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a clip.

    `status` is a `TranscriptionStatus`, or an `AudioReason` where the audio could not be decoded.
    """

    key: str
    status: str
    text: str = ""
    confidence: float | None = None
    words: tuple[TimedWord, ...] = ()
    detail: str = ""
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """The audio of a clip, for a server."""

    task: ClipTask
    samples: npt.NDArray[np.float32]


@cache
def worker_transcriber(options: TranscriberOptions) -> Transcriber:
    """Return the transcriber of this process, built and loaded once."""
    transcriber = build_transcriber(options)
    transcriber.load()
    return transcriber


def start_worker(options: TranscriberOptions) -> None:
    """Load the transcriber before the first clip, so that a failure stops the run at once."""
    worker_transcriber(options)


def transcribe_batch(options: TranscriberOptions, batch: Sequence[ClipTask]) -> list[Answer]:
    """Decode and transcribe clips in a worker process.

    Raises:
        NotFetchedError: A server did not give the audio, which says nothing of the clip.
    """
    transcriber = worker_transcriber(options)
    found = [decode_clip(transcriber.sample_rate, transcriber.longest_s, task) for task in batch]
    clips = [each for each in found if isinstance(each, Decoded)]
    answers = [each for each in found if isinstance(each, Answer)]
    if clips:
        answers += ask(transcriber, clips)
    return answers


def ask(transcriber: Transcriber, clips: Sequence[Decoded]) -> list[Answer]:
    """Return what a transcriber answers for decoded clips, in their order."""
    given = transcriber.transcribe(
        [clip.samples for clip in clips], [clip.task.language for clip in clips]
    )
    rate = transcriber.sample_rate
    return [
        _answer(clip.task, said, len(clip.samples) / rate)
        for clip, said in zip(clips, given, strict=True)
    ]


def decode_clip(rate: int, longest_s: float, task: ClipTask) -> Decoded | Answer:
    """Decode a clip; the answer says why there is nothing to transcribe.

    Raises:
        NotFetchedError: A server did not give the audio, which says nothing of the clip.
    """
    try:
        audio = decode(task.path, rate=rate, offset_s=task.offset_s, duration_s=task.length_s)
    except AudioError as error:
        if isinstance(error, NotFetchedError) and error.reason is not AudioReason.MISSING:
            raise
        return Answer(task.key, error.reason.value, detail=error.detail)
    if audio.duration_s > longest_s:
        detail = f"{audio.duration_s:.1f} s, over {longest_s:g} s"
        return Answer(task.key, TranscriptionStatus.TOO_LONG.value, detail=detail)
    return Decoded(task, audio.samples)


def _answer(task: ClipTask, said: Transcription, duration_s: float) -> Answer:
    try:
        said.text.encode()
    except UnicodeEncodeError:
        detail = "the text has half of a surrogate pair (\\ud800 to \\udfff)"
        return Answer(task.key, TranscriptionStatus.FAILED.value, detail=detail)
    return Answer(
        task.key,
        said.status.value,
        said.text,
        said.confidence,
        said.words,
        said.detail,
        duration_s,
    )
