"""The DuckDB of a thread: blocks are read and hashed by several threads at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

_local = threading.local()


def block_query(sql: str, block: pa.Table) -> pa.Table:
    """Return what a query over the table `block` gives."""
    database = _database()
    database.register("block", block)
    try:
        return database.sql(sql).to_arrow_table()
    finally:
        database.unregister("block")


def _database() -> DuckDBPyConnection:
    import duckdb

    if not hasattr(_local, "database"):
        _local.database = duckdb.connect(config={"python_enable_replacements": False})
        _local.database.execute("SET threads = 1")
    database: DuckDBPyConnection = _local.database
    return database
