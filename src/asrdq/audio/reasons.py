"""Why a file gives no audio that can be used."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from asrdq.errors import ToolError


class AudioReason(StrEnum):
    """What is wrong with an audio file; the value is the code that tables carry."""

    MISSING = "missing_audio"
    """There is no file at the path."""
    UNREADABLE = "unreadable_audio"
    """Not a regular file, no permission, not audio, or a header that cannot be true."""
    EMPTY = "empty_audio"
    """No byte, or a header without a sample."""
    TRUNCATED = "truncated_audio"
    """The audio ends before the file's own header says."""
    DAMAGED = "damaged_audio"
    """Some of it cannot be decoded."""
    OUTSIDE = "segment_outside_audio"
    """The segment begins after the end of the audio."""


class AudioError(ToolError):
    """A file gives no usable audio.

    Attributes:
        reason: The code for tables.
        detail: What exactly is wrong, in a sentence for people.
    """

    def __init__(self, reason: AudioReason, detail: str, *, where: str | None = None) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}", where=where)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.reason, self.detail, self.where)


class NotFetchedError(AudioError):
    """A file on a server could not be fetched; that may be otherwise next time."""


def _rebuild(reason: AudioReason, detail: str, where: str | None) -> AudioError:
    return AudioError(reason, detail, where=where)
