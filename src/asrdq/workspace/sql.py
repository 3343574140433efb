"""DuckDB over the current Parquet files of the tables: one view a table or manifest version."""

from __future__ import annotations

import atexit
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.places import S3Path
from asrdq.workspace.layout import MANIFESTS, RESERVED
from asrdq.workspace.runs import LATEST_STATE, RUNNING, RUNS, dead_runs
from asrdq.workspace.store import TableStore, quote_name, quote_text
from asrdq.workspace.tags import read_tags
from asrdq.workspace.versions import Reference, manifest_names, parse_reference, read_version

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable
    from duckdb import DuckDBPyConnection

_SESSION = "SET TimeZone = 'UTC'; SET enable_progress_bar = false"
"""DuckDB would draw its progress on stdout."""

_WORD = re.compile(r"[a-z0-9_-]+")
_REFERENCE = re.compile(r"([a-z][a-z0-9_-]*)@([a-z0-9][a-z0-9_.-]*)")


@dataclass(frozen=True, slots=True)
class View:
    """What SQL knows under a name.

    Attributes:
        name: The name: `audits`, `train`, `train@3`, `train@audited`.
        table: The Delta table behind it.
        version: The version of that table which it shows.
        body: The query of the view.
        files: The Parquet files that the query reads.
    """

    name: str
    table: str
    version: int
    body: str
    files: tuple[str, ...]


def view_names(store: TableStore) -> dict[str, str]:
    """Return the names that SQL knows, each with the Delta table behind it.

    A result table hides a manifest that an earlier version let have its name.
    """
    names, prefix = store.names(), f"{MANIFESTS}/"
    manifests = {n.removeprefix(prefix): n for n in names if n.startswith(prefix)}
    return manifests | {name: name for name in names if "/" not in name}


def mentioned(store: TableStore, sql: str) -> list[str]:
    """Return the views that a statement may need: known names, versions and tags in its text."""
    lowered = sql.lower()
    words = set(_WORD.findall(lowered))
    words |= {part for word in words for part in word.split("-")}  # a-b is a difference, too
    known = view_names(store)
    found = {parse_reference(f"{name}@{which}") for name, which in _REFERENCE.findall(lowered)}
    manifests = set(manifest_names(store)) if found else set()
    tags = {str(tag) for tag in read_tags(store)} if found else set()
    references = {
        f"{item.name}@{item.version if item.tag is None else item.tag}"
        for item in found
        if item.name in manifests and _is_known(item, tags)
    }
    return [name for name in known if name in words] + sorted(references)


def _is_known(reference: Reference, tags: set[str]) -> bool:
    return reference.tag is None or f"{reference.name}@{reference.tag}" in tags


@contextmanager
def connection(
    store: TableStore, views: Iterable[str | View]
) -> Iterator[tuple[DuckDBPyConnection, list[View]]]:
    """Open an in-memory DuckDB with the views asked for; also give what each of them shows."""
    database = _open_database(store)
    try:
        made = [find_view(store, view) if isinstance(view, str) else view for view in views]
        for view in made:
            database.execute(f"CREATE VIEW {quote_name(view.name)} AS {view.body}")
        yield database, made
    finally:
        database.close()


@contextmanager
def short_connection(store: TableStore, views: Iterable[str]) -> Iterator[DuckDBPyConnection]:
    """Open a connection for a short query of our own, to a database that such queries share.

    To open a database takes ten times as long as such a query. Settings and tables made here
    would be those of the others too: use `connection` for them.
    """
    database = _shared_database(store).cursor()
    try:
        database.execute(_SESSION)
        for view in (find_view(store, name) for name in views):
            database.execute(f"CREATE TEMP VIEW {quote_name(view.name)} AS {view.body}")
        yield database
    finally:
        database.close()


def _open_database(store: TableStore) -> DuckDBPyConnection:
    import duckdb

    database = duckdb.connect(
        config={
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": str(store.layout.spill),
        }
    )
    serve_files(database, store)
    database.execute(_SESSION)
    return database


_shared: dict[str, DuckDBPyConnection] = {}
_sharing = threading.Lock()


def _shared_database(store: TableStore) -> DuckDBPyConnection:
    """Return the shared database of a workspace; that of another one is given up for it."""
    place = str(store.layout.spill)
    with _sharing:
        if place not in _shared:
            _close_shared()
            _shared[place] = _open_database(store)
        return _shared[place]


@atexit.register
def _close_shared() -> None:
    """Close the shared database; its threads must end before the process takes itself apart."""
    for database in _shared.values():
        database.close()
    _shared.clear()


def serve_files(database: DuckDBPyConnection, store: TableStore) -> None:
    """Let a database read the files of the tables where those are on S3."""
    if isinstance(store.layout.root, S3Path):
        from asrdq.workspace.s3_files import S3Files

        database.register_filesystem(S3Files())


def find_view(store: TableStore, name: str) -> View:
    """Return what SQL knows under a name, at the version that it has now.

    Raises:
        UsageError: There is no such manifest, version or tag.
    """
    reference = parse_reference(name)
    number = reference.version
    if reference.tag is not None or number is not None:
        number = read_version(store, name).version
    table, opened = _found(store, reference, number)
    files = store.files(opened, table)
    body = select_files(store.schema(opened), files)
    if name == RUNS:
        dead = ", ".join(map(quote_text, _dead_runs(store, body))) or "NULL::VARCHAR"
        body = LATEST_STATE.format(rows=body, dead=dead)
    return View(name, table, opened.version(), body, tuple(files))


def _found(store: TableStore, reference: Reference, number: int | None) -> tuple[str, DeltaTable]:
    """Open the result table of a name, else the manifest; versions are of manifests alone."""
    if reference.name in RESERVED and number is None:
        found = store.find(reference.name)
        if found is not None:
            return reference.name, found
    manifest = f"{MANIFESTS}/{reference.name}"
    found = store.find(manifest, number)
    return (reference.name, store.open(reference.name)) if found is None else (manifest, found)


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
    with short_connection(store, [RUNS]) as database:
        rows = database.execute(f"SELECT run_id FROM {RUNS} WHERE state <> '{RUNNING}'").fetchall()
    return frozenset(run_id for (run_id,) in rows)


def _dead_runs(store: TableStore, body: str) -> list[str]:
    with short_connection(store, ()) as database:
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
