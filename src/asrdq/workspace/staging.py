"""Files in the making: a folder for each run, cleared away when the run is over."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.errors import ToolError
from asrdq.workspace.sql import ended_runs

if TYPE_CHECKING:
    from asrdq.workspace.store import TableStore


@contextmanager
def staging(store: TableStore, run_id: str) -> Iterator[Path]:
    """Give a folder for files in the making; those of ended runs are cleared away.

    Raises:
        ToolError: A file cannot be read or written inside.
    """
    folder = store.layout.staging / run_id
    try:
        folder.mkdir(parents=True)
        left = {other.name for other in store.layout.staging.iterdir()} - {run_id}
        for ended in left & ended_runs(store) if left else ():
            shutil.rmtree(store.layout.staging / ended, ignore_errors=True)
        yield folder
    except OSError as error:
        raise ToolError(
            f"reading or writing failed: {error.strerror or error}",
            where=str(error.filename or folder),
            hint="is the disk full, or the folder read-only?",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
