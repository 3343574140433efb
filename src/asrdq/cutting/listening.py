"""Voice activity of recordings, in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asrdq.audio import MODEL_RATE, decode, voice_activity
from asrdq.engine import run_tasks
from asrdq.settings import RaySettings

_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class Recording:
    """Where a recording lies.

    Attributes:
        number: Its place among all of them.
        path: The audio file.
        offset_s: Where it starts in it.
        length_s: How long it is; None to the end of the file.
    """

    number: int
    path: str
    offset_s: float
    length_s: float | None


def voices_of(
    recordings: Sequence[Recording],
    *,
    workers: int,
    on_clip: Callable[[float], None],
    cluster: RaySettings | None = None,
) -> Iterator[tuple[int, NDArray[np.bool_] | None]]:
    """Give the voice activity of each recording, None where it could not be decoded, as it comes.

    Args:
        recordings: What to listen to.
        workers: Processes; 0 is one a core, or as many as the cluster has room for.
        on_clip: Told after each of its seconds.
        cluster: A Ray cluster that listens; None: this machine.
    """
    outcomes = run_tasks(
        voice_of, recordings, workers=workers, timeout_s=_TIMEOUT_S, cluster=cluster
    )
    for outcome in outcomes:
        if outcome.value is None:
            on_clip(0.0)
            yield outcome.item.number, None
        else:
            voiced, seconds = outcome.value
            on_clip(seconds)
            yield outcome.item.number, voiced


def voice_of(recording: Recording) -> tuple[NDArray[np.bool_], float]:
    """Return the voice activity of a recording, and its length in seconds."""
    length_s = recording.length_s
    audio = decode(
        recording.path, rate=MODEL_RATE, offset_s=recording.offset_s, duration_s=length_s
    )
    return voice_activity(audio.samples), len(audio.samples) / audio.rate
