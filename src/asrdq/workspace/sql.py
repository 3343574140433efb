"""DuckDB over the current Parquet files of the tables: one view a table or manifest version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from asrdq.workspace.layout import MANIFESTS
from asrdq.workspace.runs import LATEST_STATE, RUNNING, RUNS, dead_runs
from asrdq.workspace.store import TableStore, quote_name, quote_text
from asrdq.workspace.versions import manifest_names, parse_reference, read_version

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

_VERSIONED = re.compile(r"([a-z][a-z0-9_-]*)@([0-9]+)")


def view_names(store: TableStore) -> dict[str, str]:
    """Return the names that SQL knows, each with the Delta table behind it."""
    results = [name for name in store.layout.names() if "/" not in name]
    manifests = {name: f"{MANIFESTS}/{name}" for name in manifest_names(store)}
    return {**{name: name for name in results}, **manifests}


def mentioned(store: TableStore, sql: str) -> list[str]:
    """Return the views that a statement may need: known names and versions in its text."""
    lowered = sql.lower()
    known = view_names(store)
    versions = {f"{name}@{number}" for name, number in _VERSIONED.findall(lowered)}
    manifests = set(manifest_names(store))
    versions = {ref for ref in versions if parse_reference(ref)[0] in manifests}
    return [name for name in known if name in lowered] + sorted(versions)


@contextmanager
def connection(
    store: TableStore, views: Iterable[str]
) -> Iterator[tuple[DuckDBPyConnection, list[str]]]:
    """Open an in-memory DuckDB with the views asked for; also give the files they read."""
    import duckdb

    database = duckdb.connect(
        config={
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": str(store.layout.spill),
        }
    )
    try:
        database.execute("SET TimeZone = 'UTC'")
        files: list[str] = []
        for name in views:
            body, read = _view(store, name)
            database.execute(f"CREATE VIEW {quote_name(name)} AS {body}")
            files += read
        yield database, files
    finally:
        database.close()


def _view(store: TableStore, name: str) -> tuple[str, list[str]]:
    base, number = parse_reference(name)
    if number is not None:
        read_version(store, name)
    dead = _dead_runs(store) if name == RUNS else []
    table = view_names(store)[base]
    body, files = select_from(store, table, number)
    if name == RUNS:
        body = LATEST_STATE.format(
            rows=body, dead=", ".join(map(quote_text, dead)) or "NULL::VARCHAR"
        )
    return body, files


def select_from(store: TableStore, name: str, version: int | None = None) -> tuple[str, list[str]]:
    """Return the query that reads a table at a version, and the files it reads."""
    table = store.open(name, version)
    files = store.files(table, name)
    return select_files(store.schema(table), files), files


def select_files(schema: pa.Schema, files: list[str]) -> str:
    """Return the query that reads Parquet files as one table of the given columns.

    Its first branch has no rows: it gives every column its name, place and type, also those
    that no file holds.
    """
    fields = ", ".join(
        f"NULL::{sql_type(field.type)} AS {quote_name(field.name)}" for field in schema
    )
    body = f"SELECT {fields} WHERE false"
    if files:
        listed = ", ".join(map(quote_text, files))
        body += f" UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], union_by_name = true)"
    return body


def ended_runs(store: TableStore) -> frozenset[str]:
    """Return the runs that came to an end or died on this machine; none of them writes again.

    A run of another machine counts as going on until it says how it ended.
    """
    if not store.exists(RUNS):
        return frozenset()
    with connection(store, [RUNS]) as (database, _):
        rows = database.execute(f"SELECT run_id FROM {RUNS} WHERE state <> '{RUNNING}'").fetchall()
    return frozenset(run_id for (run_id,) in rows)


def _dead_runs(store: TableStore) -> list[str]:
    body, _ = select_from(store, RUNS)
    with connection(store, ()) as (database, _):
        rows = database.execute(
            f"SELECT run_id, any_value(host) FROM ({body}) GROUP BY run_id "
            "HAVING bool_and(state = 'running')"
        ).fetchall()
    return dead_runs(store, rows)


def sql_type(kind: pa.DataType) -> str:
    """Return the DuckDB type of an Arrow type as Delta tables know it."""
    import pyarrow as pa

    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if pa.types.is_map(kind):
        return f"MAP({sql_type(kind.key_type)}, {sql_type(kind.item_type)})"
    if pa.types.is_struct(kind):
        fields = (f"{quote_name(field.name)} {sql_type(field.type)}" for field in kind)
        return f"STRUCT({', '.join(fields)})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ" if kind.tz else "TIMESTAMP"
    return _SCALARS[str(kind)]


_SCALARS = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "binary": "BLOB",
    "date32[day]": "DATE",
}
