"""The workspace: the one door to tables, manifests, runs, caches and SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import unknown
from asrdq.places import Place, S3Path, place
from asrdq.settings import Settings, read_settings
from asrdq.workspace.answer import Answer
from asrdq.workspace.cache import ContentCache
from asrdq.workspace.layout import RESERVED, Layout, find_root
from asrdq.workspace.runs import Run
from asrdq.workspace.sandbox import BATCH_ROWS, user_query
from asrdq.workspace.sql import (
    connection,
    mentioned,
    select_from,
    short_connection,
    sql_type,
    view_names,
)
from asrdq.workspace.store import Rows, TableStore, quote_name
from asrdq.workspace.versions import (
    ManifestVersion,
    manifest_names,
    read_history,
    read_version,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace.database import DatabaseResult
    from asrdq.workspace.initialise import InitResult


class Workspace:
    """A folder with settings and versioned tables.

    Example:
        >>> workspace = Workspace.open(".")                          # doctest: +SKIP
        >>> train = workspace.manifest("train")                      # doctest: +SKIP
        >>> workspace.scan(train, columns=["utt_id", "duration_s"])  # doctest: +SKIP
    """

    def __init__(self, root: Place, settings: Settings) -> None:
        self.root = root
        self.settings = settings
        self.store = TableStore(Layout(root))

    @classmethod
    def open(cls, path: str | PathLike[str] | S3Path = ".") -> Workspace:
        """Open the workspace at a folder or at the nearest folder above that has one; or on S3.

        Raises:
            UsageError: There is none, or its `asrdq.yaml` has mistakes.
        """
        root = find_root(place(path))
        return cls(root, read_settings(Layout(root).settings_file))

    @staticmethod
    def init(path: str | PathLike[str] | S3Path) -> InitResult:
        """Create a workspace in a folder or on S3; files that are there are left alone."""
        from asrdq.workspace.initialise import initialise

        return initialise(place(path))

    # Manifests

    def manifests(self) -> list[str]:
        """Return the names of all manifests in alphabetical order."""
        return manifest_names(self.store)

    def manifest(self, reference: str) -> ManifestVersion:
        """Return one version of a manifest: `train` (the latest), `train@3` or `train@audited`.

        Raises:
            UsageError: There is no such manifest, version or tag; the nearest name is given.
        """
        return read_version(self.store, reference)

    def history(self, name: str) -> list[ManifestVersion]:
        """Return all versions of a manifest, the oldest first."""
        return read_history(self.store, name)

    def scan(self, manifest: ManifestVersion, columns: Sequence[str] | None = None) -> pa.Table:
        """Return rows of one manifest version.

        Args:
            manifest: The version to read.
            columns: Columns to return, all by default.
        """
        with self.stream(manifest, columns) as reader:
            return reader.read_all()

    @contextmanager
    def stream(
        self,
        manifest: ManifestVersion,
        columns: Sequence[str] | None = None,
        where: str | None = None,
    ) -> Iterator[pa.RecordBatchReader]:
        """Give rows of one manifest version as a stream, for manifests of any size.

        Args:
            manifest: The version to read.
            columns: Columns to give, all by default.
            where: SQL condition of trusted origin.
        """
        body, _ = select_from(self.store, manifest.table, manifest.version)
        chosen = "*" if columns is None else ", ".join(map(quote_name, columns))
        condition = f" WHERE {where}" if where else ""
        with connection(self.store, ()) as (database, _):
            rows = database.sql(f"SELECT {chosen} FROM ({body}){condition}")
            yield rows.to_arrow_reader(BATCH_ROWS)

    def audio_file(self, manifest: ManifestVersion, audio_path: str) -> str:
        """Return where a clip of a manifest lies on this machine.

        Paths under the audio root of the manifest move with the setting `audio_root`.
        """
        from asrdq.workspace.audio_root import resolve_audio

        return resolve_audio(audio_path, manifest.audio_root, self.audio_root())

    def audio_root(self) -> str | None:
        """Return the setting `audio_root` as an absolute path or an address."""
        root = self.settings.audio_root
        return None if root is None else str(self.place(root))

    def place(self, path: str) -> Place:
        """Return what a setting names: an address, an absolute path, or one in the workspace."""
        return self.store.layout.named(path)

    # Result tables

    def tables(self) -> list[str]:
        """Return the names that SQL knows: result tables and manifests."""
        return sorted(view_names(self.store))

    def table_exists(self, name: str) -> bool:
        """Return whether a result table has ever been written."""
        return self.store.exists(name)

    def append(self, name: str, rows: Rows) -> None:
        """Append rows to a table in one atomic commit; new columns are added to it."""
        self.store.append(name, rows)

    def replace(self, name: str, rows: Rows, **where: str | Sequence[str]) -> None:
        """Put `rows` in the place of those with the given values: `replace(…, run_id=run_id)`.

        One atomic commit; repeating it gives the same table. Rows that do not fit in memory come
        as a stream: a function that gives a new reader each time it is called.
        """
        if not where:
            raise ValueError("replace needs a column and a value, such as run_id='…'")
        values = {key: [item] if isinstance(item, str) else item for key, item in where.items()}
        self.store.replace(name, rows, values)

    def read(
        self, name: str, where: str | None = None, *, schema: pa.Schema | None = None
    ) -> pa.Table:
        """Return rows of a result table, `where` being SQL of trusted origin over its columns.

        With a schema, exactly its columns come back in its types, null where the table lacks
        them, and a table that was never written is empty.

        Raises:
            UsageError: There is no such table and no schema is given.
        """
        if name not in RESERVED or not self.store.exists(name):
            if schema is not None and name in RESERVED:
                return schema.empty_table()
            raise unknown("table", name, [table for table in self.tables() if table in RESERVED])
        sql = f"SELECT * FROM {quote_name(name)}" + (f" WHERE {where}" if where else "")
        if schema is not None:
            empty = ", ".join(
                f"NULL::{sql_type(field.type)} AS {quote_name(field.name)}" for field in schema
            )
            chosen = ", ".join(quote_name(field.name) for field in schema)
            sql = f"SELECT {chosen} FROM (SELECT {empty} WHERE false UNION ALL BY NAME {sql})"
        with short_connection(self.store, [name]) as database:
            rows = database.sql(sql).to_arrow_table()
        return rows if schema is None else rows.cast(schema)

    # SQL

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run SQL of our own over the views; `$name` in it stands for a parameter."""
        with short_connection(self.store, mentioned(self.store, sql)) as database:
            return database.sql(sql, params=dict(parameters or {})).to_arrow_table()

    def sql(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Answer:
        """Run one read-only SELECT over manifests, their versions and all results.

        Args:
            sql: The statement, as DuckDB speaks it; `"train@3"` and `"train@audited"` are
                versions of the manifest `train`.
            parameters: A value for each `$name` in it.

        Raises:
            UsageError: It does anything but read the tables, or names what does not exist.

        Example:
            >>> workspace = Workspace.open(".")                              # doctest: +SKIP
            >>> workspace.sql("FROM train LIMIT $n", {"n": 5}).pl()          # doctest: +SKIP
        """
        with user_query(self.store, sql, parameters) as reader:
            return Answer(sql, reader.read_all())

    def write_database(self, path: str | PathLike[str]) -> DatabaseResult:
        """Write a DuckDB file with a view for each table, manifest, version and tag.

        Raises:
            UsageError: A file that asrdq did not make is in the way.
        """
        from asrdq.workspace.database import write_database

        return write_database(self.store, Path(path))

    # Runs and caches

    def run(
        self,
        command: str,
        manifest: ManifestVersion | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Run:
        """Return a run to be entered: `with workspace.run("audit", train) as run:`."""
        return Run(self.store, command, manifest, parameters)

    def cache(self, name: str) -> ContentCache:
        """Return the cache of that name; it is made with the first row."""
        return ContentCache(self.store, name)
