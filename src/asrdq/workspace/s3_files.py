"""What DuckDB reads on S3: the Parquet files of Delta tables, through pyarrow."""

from __future__ import annotations

import datetime as dt
import io
import threading
from collections import OrderedDict
from typing import Any, BinaryIO

from fsspec.spec import AbstractFileSystem

from asrdq.places import S3Path, address
from asrdq.s3_address import SCHEME
from asrdq.s3_errors import telling

WHOLE_BYTES = 4 << 20
KEPT_BYTES = 128 << 20
"""Files up to the first are read in one request, and kept until all of them reach the second."""


class _Kept:
    """Facts and contents of files that never change: each name of a Delta table is used once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sizes: dict[S3Path, int] = {}
        self._contents: OrderedDict[S3Path, bytes] = OrderedDict()
        self._bytes = 0

    def size(self, path: S3Path) -> int:
        """Return the size of a file; raises as `S3Path.open`.

        Who asks is about to read it, so that a small one is read in the same breath.
        """
        if path not in self._sizes:
            with telling(path), path.open() as stream:
                size = stream.seek(0, io.SEEK_END)
                if size <= WHOLE_BYTES:
                    stream.seek(0)
                    self._keep(path, stream.read())
            self._sizes[path] = size
        return self._sizes[path]

    def content(self, path: S3Path) -> bytes:
        """Return the bytes of a small file; raises as `S3Path.open`."""
        with self._lock:
            if path in self._contents:
                self._contents.move_to_end(path)
                return self._contents[path]
        return self._keep(path, path.read_bytes())

    def _keep(self, path: S3Path, content: bytes) -> bytes:
        with self._lock:
            if path not in self._contents:
                self._contents[path] = content
                self._bytes += len(content)
            while self._bytes > KEPT_BYTES:
                self._bytes -= len(self._contents.popitem(last=False)[1])
        return content

    def clear(self) -> None:
        """Keep nothing of what was read until now."""
        with self._lock:
            self._sizes.clear()
            self._contents.clear()
            self._bytes = 0


_KEPT = _Kept()


def forget_files() -> None:
    """Let every file be read anew: for whoever asks whether one was changed after all."""
    _KEPT.clear()


class S3Files(AbstractFileSystem):  # type: ignore[misc]
    """The file system that DuckDB is given for addresses `s3://…`; it only reads."""

    protocol = "s3"
    cachable = False

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """Return name, size and kind of a file."""
        return {"name": path, "size": _KEPT.size(_file(path)), "type": "file"}

    def modified(self, path: str) -> dt.datetime:
        """Return one moment for all: none of these files is ever changed."""
        return dt.datetime.fromtimestamp(0, dt.UTC)

    def glob(self, path: str, **options: Any) -> list[str]:
        """Return the path itself: tables are read by the names of their files."""
        return [path]

    def open(self, path: str, mode: str = "rb", *args: Any, **options: Any) -> BinaryIO:
        """Open a file to be read, at any position."""
        if "w" in mode or "a" in mode or "+" in mode:
            raise PermissionError("nothing is written here")
        file = _file(path)
        return io.BytesIO(_KEPT.content(file)) if _KEPT.size(file) <= WHOLE_BYTES else file.open()


def _file(path: str) -> S3Path:
    return address(SCHEME + path.removeprefix(SCHEME))
