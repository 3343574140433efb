"""The DuckDB that joins sets larger than its memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from asrdq.workspace.sql import connection

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asrdq.workspace import Workspace

_MEMORY: Final = "500MB"


@contextmanager
def bounded_database(workspace: Workspace) -> Iterator[DuckDBPyConnection]:
    """Give a database that puts on the disk what does not fit, in no particular order."""
    with connection(workspace.store, ()) as (database, _):
        database.execute(f"SET memory_limit = '{_MEMORY}'")
        database.execute("SET preserve_insertion_order = false")
        yield database
