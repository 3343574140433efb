"""DuckDB as SQLAlchemy sees it: just what Great Expectations asks of a database.

The connection is one that asrdq has opened, with its views. It stays open for the whole check and
is never told of transactions: Great Expectations hands a connection back before it fetches, and a
rollback there would discard the result that is waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb
from sqlalchemy import create_engine, types
from sqlalchemy.dialects import registry
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql.compiler import IdentifierPreparer

if TYPE_CHECKING:
    from sqlalchemy import Engine

_URL = "asrdq_duckdb://"
_COLUMNS = """
    SELECT column_name, is_nullable FROM information_schema.columns
    WHERE table_name = ? AND table_catalog <> 'temp' ORDER BY ordinal_position
"""


class _Preparer(IdentifierPreparer):
    """Quotes every name: columns of users may be called anything."""

    def _requires_quotes(self, value: str) -> bool:
        return True


class _Cursor:
    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self._database.execute(statement, list(parameters))

    def close(self) -> None:
        """Keep the connection, whose only cursor this is."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


class _Connection:
    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database

    def cursor(self) -> _Cursor:
        return _Cursor(self._database)

    def commit(self) -> None:
        """There is no transaction."""

    rollback = close = commit


class _Driver:
    paramstyle = "qmark"
    Error = duckdb.Error


class DuckDBDialect(DefaultDialect):
    """The SQL of DuckDB, and the columns of its views."""

    name = "duckdb"
    driver = "asrdq"
    supports_statement_cache = False
    supports_native_boolean = True
    preparer = _Preparer
    default_paramstyle = "qmark"

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return the stand-in for a driver."""
        return _Driver

    def initialize(self, connection: Any) -> None:
        """Ask the database nothing: its only schema is known."""
        self.default_schema_name = "main"

    def get_columns(
        self, connection: Any, table_name: str, schema: str | None = None, **options: Any
    ) -> list[Any]:
        """Return the columns of a view.

        Raises:
            NoSuchTableError: There is no such view.
        """
        rows = connection.exec_driver_sql(_COLUMNS, (table_name,)).fetchall()
        if not rows:
            raise NoSuchTableError(table_name)
        kind = types.NullType()
        return [
            {"name": name, "type": kind, "nullable": nullable == "YES", "default": None}
            for name, nullable in rows
        ]


registry.register("asrdq_duckdb", __name__, "DuckDBDialect")


def sqlalchemy_engine(database: duckdb.DuckDBPyConnection) -> Engine:
    """Return an SQLAlchemy engine on an open DuckDB connection, which stays the caller's."""
    return create_engine(_URL, creator=lambda: _Connection(database), poolclass=StaticPool)
