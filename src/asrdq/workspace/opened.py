"""Delta tables that were opened, kept for as long as their log is as it was."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from asrdq.places import Place, S3Path

if TYPE_CHECKING:
    from deltalake import DeltaTable

KEPT_TABLES = 64

Log: TypeAlias = frozenset[tuple[str, int, int]]
"""The files of a Delta log: name, size in bytes, time in nanoseconds."""


def read_log(table: Place) -> Log:
    """Return what the log of a table consists of, in one request on S3; empty without a table."""
    folder = table / "_delta_log"
    if isinstance(folder, S3Path):
        from asrdq.s3 import listed

        log = frozenset((key, info.size or 0, info.mtime_ns or 0) for key, info in listed(folder))
    else:
        log = _files(folder)
    return log if any(name.endswith(".json") for name, _, _ in log) else frozenset()


def _files(folder: Path) -> Log:
    try:
        with os.scandir(folder) as items:
            facts = [(item.name, item.stat()) for item in items]
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    return frozenset((name, stat.st_size, stat.st_mtime_ns) for name, stat in facts)


class OpenedTables:
    """Opened tables by name and version; whoever is given one must not write through it.

    To open a table is to read its whole log: a request for each commit where that lies on S3.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int | None], tuple[Log, DeltaTable]] = OrderedDict()

    def find(self, name: str, version: int | None, log: Log) -> DeltaTable | None:
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
