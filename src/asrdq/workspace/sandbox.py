"""SQL that users type: one SELECT over the views, with no way to files, network or settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from asrdq.errors import AsrdqError, UsageError, nearest, unknown
from asrdq.workspace.sql import connection, mentioned, view_names

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from asrdq.workspace.store import TableStore

_CATALOGUE = re.compile(r"information_schema|duckdb_\w+|pg_catalog|\bshow\b|\bdescribe\b", re.I)
_NO_TABLE = re.compile(r"Table with name (.+?) does not exist")
_NO_COLUMN = re.compile(r'Referenced column "(.+?)" not found|does not have a column named "(.+?)"')
_CANDIDATES = re.compile(r'"([^"]+)"')
BATCH_ROWS = 65_536


@contextmanager
def user_query(store: TableStore, sql: str) -> Iterator[pa.RecordBatchReader]:
    """Run one read-only statement and give its rows as a stream.

    Raises:
        UsageError: It is not a single SELECT, names something that does not exist, or asks for
            files, network or settings.
    """
    statement = _single_select(sql)
    everything = bool(_CATALOGUE.search(sql))
    views = list(view_names(store)) if everything else []
    views += [name for name in mentioned(store, sql) if name not in views]
    with connection(store, views) as (database, files):
        _close_doors(database, files)
        yield _run(store, database, statement)


def _single_select(sql: str) -> str:
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
    store: TableStore, database: duckdb.DuckDBPyConnection, statement: str
) -> pa.RecordBatchReader:
    import duckdb

    try:
        # The binder allows a writing WITH clause (`WITH a AS (COPY … TO …)`) at the top level
        # only: as a subquery, any statement that writes is refused before it runs.
        database.execute(f"EXPLAIN SELECT * FROM (\n{statement}\n)")
        names = database.sql(f"SELECT * FROM (\n{statement}\n)").columns  # no two are the same
        reader = database.sql(statement).to_arrow_reader(BATCH_ROWS)
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
        return unknown("table", table[1], view_names(store))
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
