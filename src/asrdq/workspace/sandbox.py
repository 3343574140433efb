"""SQL that users type: one SELECT over the views, with no way to files, network or settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.errors import AsrdqError, UsageError, nearest, unknown
from asrdq.workspace.layout import MANIFESTS
from asrdq.workspace.sql import View, connection, find_view, mentioned, view_names
from asrdq.workspace.store import quote_name
from asrdq.workspace.versions import parse_reference, read_version

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from asrdq.workspace.store import TableStore

_CATALOGUE = re.compile(r"information_schema|duckdb_\w+|pg_catalog|\bshow\b|\bdescribe\b", re.I)
_NO_TABLE = re.compile(r"Table with name (.+?) does not exist")
_NO_VALUE = re.compile(r"Values were not provided for the following .*?parameters: (.+)")
_NO_PARAMETER = re.compile(r"identifiers of the excess parameters: (.+)|Expected 0, got \d+")
_NO_COLUMN = re.compile(r'Referenced column "(.+?)" not found|does not have a column named "(.+?)"')
_CANDIDATES = re.compile(r'"([^"]+)"')
BATCH_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A database that shows some views and nothing else, and one statement to be run in it.

    Attributes:
        store: The tables of the workspace.
        database: The database; its doors are closed.
        statement: A single SELECT.
    """

    store: TableStore
    database: duckdb.DuckDBPyConnection
    statement: str

    def rows(self, parameters: Mapping[str, Any] | None = None) -> pa.RecordBatchReader:
        """Run the statement and give its rows as a stream; `$name` in it is a parameter.

        Raises:
            UsageError: It names something that does not exist, lacks the value of a parameter,
                or asks for files, network or settings.
        """
        return _run(self.store, self.database, self.statement, dict(parameters or {}))

    def names(self) -> list[str]:
        """Return the names of the columns as given; `rows` numbers those that are given twice."""
        return list(self.database.sql(self.statement).columns)

    def reads(self, views: Sequence[View]) -> list[View]:
        """Return those of some views that the statement cannot be understood without.

        Raises:
            UsageError: As `rows`; it must have no parameters.
        """
        import duckdb

        try:
            self.database.execute(f"EXPLAIN SELECT * FROM (\n{self.statement}\n)")
        except duckdb.Error as error:
            raise _explain(self.store, error) from error
        return [view for view in views if self._needs(view.name)]

    def _needs(self, view: str) -> bool:
        import duckdb

        self.database.execute("BEGIN")
        try:
            self.database.execute(f"DROP VIEW {quote_name(view)}")
            self.database.execute(f"EXPLAIN SELECT * FROM (\n{self.statement}\n)")
        except duckdb.Error:
            return True
        finally:
            self.database.execute("ROLLBACK")
        return False


@contextmanager
def sandbox(store: TableStore, sql: str, views: Sequence[View] | None = None) -> Iterator[Sandbox]:
    """Open a sandbox for one read-only statement.

    Args:
        store: The tables.
        sql: The statement.
        views: What it may see; by default everything that its text mentions.

    Raises:
        UsageError: It is not a single SELECT.
    """
    statement = single_select(sql)
    shown = views_for(store, sql) if views is None else views
    with connection(store, shown) as (database, made):
        _close_doors(database, [file for view in made for file in view.files])
        yield Sandbox(store, database, statement)


def views_for(store: TableStore, sql: str) -> list[View]:
    """Return the views that the text of a statement mentions; all where it asks what there is."""
    names = list(view_names(store)) if _CATALOGUE.search(sql) else []
    names += [name for name in mentioned(store, sql) if name not in names]
    return [find_view(store, name) for name in names]


@contextmanager
def user_query(
    store: TableStore, sql: str, parameters: Mapping[str, Any] | None = None
) -> Iterator[pa.RecordBatchReader]:
    """Run one read-only statement and give its rows as a stream.

    Args:
        store: The tables.
        sql: The statement.
        parameters: A value for each `$name` in it; DuckDB gives a text the type that its place
            in the statement asks for.

    Raises:
        UsageError: It is not a single SELECT, names something that does not exist, or asks for
            files, network or settings.
    """
    with sandbox(store, sql) as opened:
        yield opened.rows(parameters)


def single_select(sql: str) -> str:
    """Return a statement without what ends it.

    Raises:
        UsageError: It is no single SELECT.
    """
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise _explain_syntax(error) from error
    if len(statements) != 1:
        raise UsageError(
            f"one statement at a time, not {len(statements)}", hint="run them one by one"
        )
    if statements[0].type is not duckdb.StatementType.SELECT:
        raise UsageError(
            f"{statements[0].type.name} is not allowed here: this SQL only reads",
            hint="write a SELECT",
        )
    return str(statements[0].query).strip().rstrip(";")


def _close_doors(database: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    """Leave nothing readable but the files of the views, and lock the settings."""
    database.execute("SET allowed_paths = $files", {"files": sorted(set(files))})
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")


def _run(
    store: TableStore,
    database: duckdb.DuckDBPyConnection,
    statement: str,
    parameters: dict[str, Any],
) -> pa.RecordBatchReader:
    import duckdb

    try:
        # The binder allows a writing WITH clause (`WITH a AS (COPY … TO …)`) at the top level
        # only: as a subquery, any statement that writes is refused before it runs.
        inner = f"SELECT * FROM (\n{statement}\n)"
        database.execute(f"EXPLAIN {inner}", parameters)
        names = database.sql(inner, params=parameters).columns  # no two are the same
        reader = database.sql(statement, params=parameters).to_arrow_reader(BATCH_ROWS)
        return _guarded(reader, names, lambda e: _explain(store, e))
    except duckdb.Error as error:
        raise _explain(store, error) from error


def _guarded(
    reader: pa.RecordBatchReader, names: list[str], explain: Callable[[Exception], AsrdqError]
) -> pa.RecordBatchReader:
    """Return the reader under other names, and with errors while rows flow told as ours."""
    import pyarrow as pa

    fields = zip(reader.schema, names, strict=True)
    schema = pa.schema([field.with_name(name) for field, name in fields])

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for batch in reader:
                yield batch.rename_columns(names)
        except (pa.ArrowException, OSError, RuntimeError) as error:
            raise explain(error) from error

    return pa.RecordBatchReader.from_batches(schema, batches())


def _explain(store: TableStore, error: Exception) -> AsrdqError:
    text = str(error)
    table = _NO_TABLE.search(text)
    if table:
        return _unknown_table(store, table[1])
    if _NO_VALUE.search(text) or _NO_PARAMETER.search(text):
        return _wrong_parameter(text)
    column = _NO_COLUMN.search(text)
    if column:
        return _unknown_column(column[1] or column[2], text)
    if "WITH clause containing" in text:
        return UsageError("writing is not allowed here: this SQL only reads", hint="write a SELECT")
    if "Permission Error" in text or "disabled" in text:
        return UsageError(
            "this SQL cannot reach files, the network or settings",
            hint="ask the tables: `SHOW TABLES` lists them",
        )
    return UsageError(_first_part(error))


def _wrong_parameter(text: str) -> UsageError:
    missing = _NO_VALUE.search(text)
    if missing:
        name = missing[1].split(",")[0].strip()
        return UsageError(f"parameter ${name} has no value", hint=f"--param {name}=VALUE")
    excess = _NO_PARAMETER.search(text)
    names = f" ${excess[1]}" if excess and excess[1] else ""
    return UsageError(f"the statement has no parameter{names}", hint="write $name in it")


def _unknown_table(store: TableStore, name: str) -> AsrdqError:
    known = view_names(store)
    if "@" in name and known.get(parse_reference(name).name, "").startswith(f"{MANIFESTS}/"):
        try:
            read_version(store, name)
        except AsrdqError as error:
            return error
    return unknown("table", name, known)


def _unknown_column(name: str, text: str) -> UsageError:
    _, _, rest = text.partition("Candidate bindings:")
    candidates = [item.split(".")[-1] for item in _CANDIDATES.findall(rest.split("\n\n")[0])]
    guess = nearest(name, candidates)
    lists = "`DESCRIBE name` lists the columns of a table"
    hint = f"did you mean '{guess}'?" if guess else lists
    return UsageError(f"unknown column '{name}'", hint=hint)


def _explain_syntax(error: Exception) -> UsageError:
    at = '"@"' in str(error)
    hint = 'write a version in double quotes: "train@3"' if at else "is it SQL as DuckDB speaks it?"
    return UsageError(_first_part(error), hint=hint)


def _first_part(error: Any) -> str:
    return str(error).split("\n\n")[0].replace("\n", " ")
