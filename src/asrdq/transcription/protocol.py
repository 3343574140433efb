"""What a transcriber is: the protocol every backend follows, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from typing_extensions import Protocol, runtime_checkable

Samples = npt.NDArray[np.float32]


class TranscriptionStatus(StrEnum):
    """How a transcription ended."""

    TRANSCRIBED = "transcribed"
    NO_RESULT = "no_result"
    """The search ended without a result, which is not the same as silence."""
    TOO_LONG = "too_long"
    REFUSED = "refused_by_server"
    """The server will not take this clip, now or later."""
    SERVER_FAILED = "server_failed"
    CRASHED = "transcriber_crashed"
    FAILED = "transcriber_failed"


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word that was recognised: seconds from the start of the clip, confidence 0…1."""

    word: str
    start_s: float
    end_s: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Transcription:
    """What a transcriber answers for one clip.

    Attributes:
        status: `transcribed`, or why there is no text.
        text: What was recognised; empty where nothing was heard, and unless transcribed.
        confidence: How sure it is, 0…1 where the backend has such a measure; its documentation
            says which.
        words: The words with their times, where they are known.
        detail: What a person should know.
    """

    status: TranscriptionStatus
    text: str = ""
    confidence: float | None = None
    words: tuple[TimedWord, ...] = ()
    detail: str = ""


def no_memory(_clip: Samples, error: Exception) -> Transcription:
    """Return the answer for a clip that there is no memory for."""
    return Transcription(TranscriptionStatus.FAILED, detail=f"no memory for it: {error}")


@dataclass(frozen=True, slots=True)
class TranscriberOptions:
    """What a transcriber is built from, in this process and in workers.

    Attributes:
        name: Name of the entry point in the group `asrdq.transcribers`.
        address: What follows its name and a colon: of a server.
        model: The model that is asked for, where there are several.
        key_env: The environment variable that holds an API key.
        concurrency: Most requests under way at once.
        timeout_s: Longest time a request may take.
        retries: How often a request that failed is tried again.
        device: Where a local model runs: `auto`, `cpu`, `cuda`, `cuda:1`.
        batch_s: Most seconds of audio that a local model gets at once, padding included; None for
            what it likes.
        beams: Hypotheses that a search keeps; 1 is greedy.
        workers_on: What the workers of a cluster run a model on, `cpu` or `cuda`; None: they are
            of this machine.
    """

    name: str
    address: str | None = None
    model: str | None = None
    key_env: str = "OPENAI_API_KEY"
    concurrency: int = 8
    timeout_s: float = 120.0
    retries: int = 5
    device: str = "auto"
    batch_s: float | None = None
    beams: int = 1
    workers_on: str | None = None


@runtime_checkable
class Transcriber(Protocol):
    """A speech recogniser, built from `TranscriberOptions`.

    A local one is built and loaded in each worker process. One that asks a server is built and
    loaded once, and `transcribe` is called from several threads with a clip each.

    Attributes:
        name: What `hypotheses.transcriber` says.
        version: Version of the tool and its model: part of every cache key. After `load`.
        remote: Whether it asks a server.
        concurrency: Threads that may ask a server at once.
        sample_rate: Rate in Hz that it wants samples in.
        languages: Codes it knows, None for all; work in another language is refused.
        longest_s: Longest clip it takes, in seconds.
        batch_size: Most clips that it likes to get at once; 1 unless batches are faster.
        batch_s: Most seconds of audio at once, each clip counted as long as the longest of its
            batch, for so long padding makes it; 0 for any number.
        processes: Most processes that one machine is to run it in; 0 for any number. A model that
            uses all cores, or the GPU, wants 1.
    """

    name: str
    version: str
    remote: bool
    concurrency: int
    sample_rate: int
    languages: frozenset[str] | None
    longest_s: float
    batch_size: int
    batch_s: float
    processes: int

    def load(self) -> None:
        """Load a model, or see that the server answers, so that one that cannot run stops here.

        Raises:
            ToolError: A model, package or server is missing; any exception is fatal.
            UsageError: The options are wrong.
        """
        ...

    def transcribe(
        self, clips: Sequence[Samples], languages: Sequence[str]
    ) -> Sequence[Transcription]:
        """Transcribe mono clips in -1…1, each of shape (n,), and answer in their order.

        Args:
            clips: The audio at `sample_rate`; none is empty.
            languages: The language code of each.

        Raises:
            ToolError: It would fail for any other clip too; the command stops.
        """
        ...

    def close(self) -> None:
        """Give up what `load` took, if it was called; requests under way may fail."""
        ...
