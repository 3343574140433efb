"""Audio on S3: whole objects, copied to the disk of this machine while they are needed."""

from __future__ import annotations

import atexit
import contextlib
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from asrdq.audio.reasons import AudioError, AudioReason, NotFetchedError
from asrdq.errors import UsageError
from asrdq.places import address
from asrdq.s3 import download
from asrdq.s3_errors import S3Error

HELD_BYTES: Final = 1 << 30
"""Copies a process keeps: rows that are segments of one recording need it again and again."""


@dataclass
class _Copy:
    """A file without a name, which goes with this process whatever becomes of it."""

    file: IO[bytes]
    size_bytes: int
    users: int = 0

    @property
    def path(self) -> Path:
        return Path(f"/proc/self/fd/{self.file.fileno()}")


class _Copies:
    """The copies of this process, the one used last at the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[str, _Copy] = OrderedDict()

    @contextlib.contextmanager
    def of(self, audio: str) -> Iterator[Path]:
        with self._lock:
            if audio not in self._held:
                self._held[audio] = _fetch(audio)
            copy = self._held[audio]
            self._held.move_to_end(audio)
            copy.users += 1
            self._make_room()
        try:
            yield copy.path
        finally:
            with self._lock:
                copy.users -= 1

    def clear(self) -> None:
        """Give all copies up."""
        while self._held:
            self._held.popitem()[1].file.close()

    def _make_room(self) -> None:
        held = sum(copy.size_bytes for copy in self._held.values())
        for audio, copy in list(self._held.items()):
            if held > HELD_BYTES and not copy.users:
                held -= copy.size_bytes
                self._held.pop(audio).file.close()


_COPIES = _Copies()
atexit.register(_COPIES.clear)


@contextlib.contextmanager
def copy_of(audio: str) -> Iterator[Path]:
    """Give the path of a copy of an object; it may go once the block has ended.

    Raises:
        NotFetchedError: There is no such object, or it cannot be fetched.
    """
    try:
        with _COPIES.of(audio) as copy:
            yield copy
    except AudioError as error:
        detail = error.detail.replace(str(copy), audio)
        raise AudioError(error.reason, detail, where=audio) from None
    except FileNotFoundError as error:
        detail = "there is no such object"
        raise NotFetchedError(AudioReason.MISSING, detail, where=audio) from error
    except (S3Error, UsageError) as error:
        raise NotFetchedError(AudioReason.UNREADABLE, error.message, where=error.where) from error


def _fetch(audio: str) -> _Copy:
    source = address(audio)
    copy = _Copy(tempfile.TemporaryFile(), 0)  # noqa: SIM115 - it stays open while it is held
    try:
        download(source, copy.path)
    except BaseException:
        copy.file.close()
        raise
    copy.size_bytes = copy.path.stat().st_size
    return copy
