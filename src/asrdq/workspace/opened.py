"""Delta tables that were opened, kept for as long as their log is as it was."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from asrdq.errors import ToolError
from asrdq.places import Place, S3Path

if TYPE_CHECKING:
    from deltalake import DeltaTable

KEPT_TABLES = 64
_LASTING = (".json", ".parquet", "_last_checkpoint")
"""How commits and checkpoints end; a writer makes other files beside them and takes them away."""

Log: TypeAlias = frozenset[tuple[str, int, int]]
"""The files of a Delta log: name, size in bytes, time in nanoseconds."""


def read_log(table: Place) -> Log:
    """Return what the log of a table consists of, in one request on S3; empty without a table.

    Raises:
        ToolError: It cannot be read.
    """
    folder = table / "_delta_log"
    if isinstance(folder, S3Path):
        from asrdq.s3 import listed

        files = [(key, info.size or 0, info.mtime_ns or 0) for key, info in listed(folder)]
    else:
        files = list(_files(folder))
    log = frozenset(file for file in files if file[0].endswith(_LASTING))
    return log if any(name.endswith(".json") for name, _, _ in log) else frozenset()


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Give the files of a folder; one that is gone while it is looked at is none."""
    try:
        with os.scandir(folder) as items:
            for item in items:
                with suppress(FileNotFoundError):
                    stat = item.stat()
                    yield item.name, stat.st_size, stat.st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ToolError(f"cannot be read: {error.strerror}", where=str(folder)) from error


class OpenedTables:
    """Opened tables by name and version; whoever is given one must not write through it.

    To open a table is to read its whole log: a request for each commit where that lies on S3.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int | None], tuple[Log, DeltaTable]] = OrderedDict()

    def kept(self, name: str, version: int | None, log: Log) -> DeltaTable | None:
        """Return a table that was opened when its log was this one."""
        with self._lock:
            before, table = self._kept.get((name, version), (None, None))
            if before != log:
                return None
            self._kept.move_to_end((name, version))
            return table

    def keep(self, name: str, version: int | None, log: Log, table: DeltaTable) -> None:
        """Keep an opened table; the log was read before it."""
        with self._lock:
            self._kept[name, version] = log, table
            if len(self._kept) > KEPT_TABLES:
                self._kept.popitem(last=False)

    def forget(self) -> None:
        """Have every table opened anew."""
        with self._lock:
            self._kept.clear()
