"""Opening files to be read from the beginning, with gzip compression taken off on the way."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from asrdq.errors import DataError, UsageError, unknown

GZIP_MAGIC = b"\x1f\x8b"
UNQUESTIONED_BYTES = 1 << 30
LARGEST_RATIO = 300
"""A compressed file that has grown beyond both is taken for a bomb; text grows up to 20 times."""

_HEAD_BYTES = 65_536
_BUFFER_BYTES = 1 << 20


@dataclass
class Opened:
    """A file being read.

    Attributes:
        stream: Its content, decompressed; only a plain file can be sought in.
        raw: The file on disk.
    """

    stream: BinaryIO
    raw: BinaryIO
    _counted: int = 0

    def consumed(self) -> int:
        """Return how many bytes on disk were read since this was last asked."""
        at = self.raw.tell()
        count, self._counted = at - self._counted, at
        return count


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a plain or gzip file to be read once from its beginning.

    Raises:
        UsageError: It is missing, a folder, or cannot be read.
        DataError: On reading: the compressed data is damaged, or a bomb.
    """
    with _open(path) as raw:
        compressed = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        raw.seek(0)
        yield Opened(_inflated(raw, path) if compressed else raw, raw)


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file, decompressed; nothing for a folder.

    Raises:
        UsageError: It is missing or cannot be read.
        DataError: The compressed data is damaged.
    """
    if path.is_dir():
        return b""
    with opened(path) as source:
        return source.stream.read(_HEAD_BYTES)


def read_whole(path: Path, limit: int, hint: str | None = None) -> bytes:
    """Return the content of a small file, decompressed.

    Args:
        path: The file.
        limit: The most bytes it may have.
        hint: What to do with a longer one.

    Raises:
        UsageError: It is missing or cannot be read.
        DataError: It is longer than `limit` bytes.
    """
    with opened(path) as source:
        content = source.stream.read(limit + 1)
    if len(content) > limit:
        raise DataError(f"is longer than {limit >> 20} MB", where=str(path), hint=hint)
    return content


def missing_file(path: Path) -> UsageError:
    """Return the error for a file that is not there, naming the nearest that is."""
    folder = path.parent
    if not folder.is_dir():
        return UsageError("no such file: its folder does not exist", where=str(path))
    names = [item.name for item in folder.iterdir() if item.is_file()]
    names = [name for name in names if not name.startswith(".")]
    close = unknown("file", path.name, names)
    return UsageError("no such file", where=str(path), hint=close.hint if names else None)


def is_a_folder(path: Path) -> UsageError:
    """Return the error for a folder that is given where a file is needed."""
    hint = f"name the files in it: {path}/*.jsonl; for audio files alone add --pattern"
    return UsageError("is a folder of no known format", where=str(path), hint=hint)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except IsADirectoryError:
        raise is_a_folder(path) from None
    except FileNotFoundError as error:
        raise missing_file(path) from error
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _inflated(raw: BinaryIO, path: Path) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Inflating(raw, path), _BUFFER_BYTES))


class _Inflating(io.RawIOBase):
    """The content of a gzip file, given out only while it grows by a believable factor."""

    def __init__(self, raw: BinaryIO, path: Path) -> None:
        self._raw, self._path = raw, path
        self._content = gzip.GzipFile(fileobj=raw, mode="rb")
        self._given = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer with what comes next."""
        try:
            count = self._content.readinto(buffer)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"the gzip data is damaged: {error}", where=str(self._path)) from error
        self._given += count
        limit = max(UNQUESTIONED_BYTES, LARGEST_RATIO * self._raw.tell())
        if self._given > limit:
            raise DataError(
                f"grows to more than {LARGEST_RATIO} times its size when it is decompressed",
                where=str(self._path),
                hint="decompress it yourself if it is what it should be",
            )
        return count
