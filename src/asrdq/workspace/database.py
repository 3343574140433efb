"""`asrdq duckdb`: a database file of views, for any program that reads DuckDB."""

from __future__ import annotations

import datetime as dt
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from asrdq.errors import ToolError, UsageError
from asrdq.places import Place
from asrdq.results import Result
from asrdq.workspace.sql import View, find_view, serve_files, view_names
from asrdq.workspace.store import TableStore, quote_name, quote_text
from asrdq.workspace.tags import read_tags
from asrdq.workspace.versions import manifest_names, read_history

if TYPE_CHECKING:
    import pyarrow as pa

ORIGIN = "asrdq_origin"
"""A view of the database: of which workspace it is, and when it was written."""


@dataclass(frozen=True)
class DatabaseResult(Result):
    """A database of views.

    Attributes:
        path: The file.
        workspace: The folder whose tables the views read, by absolute paths.
        views: The names in it, `asrdq_origin` left out.
    """

    main_table: ClassVar[str] = "views"

    path: Path
    workspace: Place
    views: tuple[str, ...]

    def summary(self) -> str:
        """Return the file and how many views it has."""
        return f"{self.path}: {len(self.views)} views of {self.workspace}"

    def arrow(self) -> pa.Table:
        """Return one row a view."""
        import pyarrow as pa

        return pa.table({"view": pa.array(self.views, pa.string())})


def write_database(store: TableStore, path: Path) -> DatabaseResult:
    """Write a DuckDB file with a view for each table, manifest, version and tag.

    The views name the files of the tables as they are now: after an ingest or an audit the file
    has to be written anew. It appears complete or not at all. Views of tables on S3 are read by
    DuckDB's extension httpfs, with the credentials of whoever reads them.

    Raises:
        UsageError: A file is in the way that is no such database.
        ToolError: The file cannot be written.
    """
    target = path.expanduser().resolve()
    _check_free(target)
    views = [find_view(store, name) for name in _names(store)]
    draft = target.parent / f".{secrets.token_hex(8)}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _create(draft, views, store)
        draft.replace(target)
    except OSError as error:
        raise ToolError(
            f"cannot be written: {error.strerror or error}", where=str(target)
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return DatabaseResult(target, store.layout.root, tuple(view.name for view in views))


def _names(store: TableStore) -> list[str]:
    versions = [str(v) for name in manifest_names(store) for v in read_history(store, name)]
    return [*sorted(view_names(store)), *versions, *map(str, read_tags(store))]


def _create(draft: Path, views: list[View], store: TableStore) -> None:
    import duckdb

    with duckdb.connect(str(draft)) as database:
        serve_files(database, store)
        for view in views:
            database.execute(f"CREATE VIEW {quote_name(view.name)} AS {view.body}")
        now = dt.datetime.now(dt.UTC).isoformat()
        database.execute(
            f"CREATE VIEW {ORIGIN} AS SELECT {quote_text(str(store.layout.root))} AS workspace, "
            f"TIMESTAMPTZ {quote_text(now)} AS written"
        )


def _check_free(target: Path) -> None:
    """Refuse to overwrite anything but a database that was written here before."""
    import duckdb

    if not target.exists():
        return
    try:
        with duckdb.connect(str(target), read_only=True) as database:
            ours = "SELECT count(*) FROM duckdb_views() WHERE view_name = $name"
            found = database.execute(ours, {"name": ORIGIN}).fetchall()
            tables = database.execute("SELECT count(*) FROM duckdb_tables()").fetchall()
    except duckdb.Error:
        found = tables = [(0,)]
    if found == [(0,)] or tables != [(0,)]:
        raise UsageError(
            "there is a file already that holds something else",
            where=str(target),
            hint="name another file, or remove this one",
        )
