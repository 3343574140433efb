"""Delta tables: append, replace, and which files hold a version."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from asrdq.errors import ToolError, unknown
from asrdq.places import S3Path, place
from asrdq.workspace.layout import RESERVED, Layout
from asrdq.workspace.locks import locked
from asrdq.workspace.opened import OpenedTables, read_log

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

KEEP_ALL_VERSIONS = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}
"""Delta forgets versions after 30 days by default; verdicts refer to them for longer."""

COMPACT_ABOVE_FILES = 64
_ROW_GROUP_ROWS = 131_072
_TRIES = 6
_TRIES_IN_TURN = 20
_LONGEST_PAUSE_S = 2.0
_COLOUR = re.compile(r"\x1b\[\d*m")

Rows: TypeAlias = "pa.Table | Callable[[], pa.RecordBatchReader]"
"""Rows to be written: a table, or what gives a stream of them, anew each time it is asked."""


class TableStore:
    """All tables of a workspace. Only the parent process of a command writes them."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._opened = OpenedTables()
        self._named: frozenset[str] = frozenset()

    def names(self) -> list[str]:
        """Return the names of all tables there are, in alphabetical order."""
        names = self.layout.names(self._named)
        self._named = frozenset(names)
        return names

    def exists(self, name: str) -> bool:
        """Return whether a table has ever been written."""
        return bool(read_log(self.layout.table(name)))

    def options(self) -> dict[str, str] | None:
        """Return what deltalake has to know of the place of the tables."""
        if not isinstance(self.layout.root, S3Path):
            return None
        from asrdq.s3 import delta_options

        return delta_options(self.layout.root.bucket)

    def open(self, name: str, version: int | None = None) -> DeltaTable:
        """Open a table at a version, the latest by default, to be read and not written through.

        Raises:
            UsageError: There is no such table.
            ToolError: The table is there but cannot be read.
        """
        table = self.find(name, version)
        if table is None:
            raise unknown("table", name, self.names())
        return table

    def find(self, name: str, version: int | None = None) -> DeltaTable | None:
        """Open a table as `open` does; None where there is no such table."""
        log = read_log(self.layout.table(name))
        if not log:
            return None
        table = self._opened.kept(name, version, log)
        if table is None:
            table = self._load(name, version)
            self._opened.keep(name, version, log, table)
        return table

    def _load(self, name: str, version: int | None = None) -> DeltaTable:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        try:
            folder = str(self.layout.table(name))
            return DeltaTable(folder, version=version, storage_options=self.options())
        except (DeltaError, OSError) as error:
            raise ToolError(f"cannot read table '{name}': {_plain(error)}") from error

    def files(self, table: DeltaTable, name: str) -> list[str]:
        """Return the paths of the Parquet files that make up an opened table."""
        import pyarrow as pa

        folder = self.layout.table(name)
        actions = pa.table(table.get_add_actions(flatten=True))
        return sorted(str(folder / path) for path in actions["path"].to_pylist())

    def schema(self, table: DeltaTable) -> pa.Schema:
        """Return the Arrow schema of an opened table."""
        import pyarrow as pa

        return pa.schema(table.schema().to_arrow())

    def append(self, name: str, rows: Rows) -> None:
        """Append rows in one atomic commit.

        New columns are added to the table; columns that `rows` lacks are null in it.
        """
        self._write(name, rows, mode="append")

    def replace(self, name: str, rows: Rows, where: dict[str, Sequence[str]]) -> None:
        """Put `rows` in the place of those whose columns have one of the given values.

        One atomic commit: repeating it gives the same table.
        """
        clauses = [
            f"{column} IN ({', '.join(quote_text(value) for value in values)})"
            for column, values in where.items()
        ]
        if self.exists(name):
            self._write(name, rows, mode="overwrite", predicate=" AND ".join(clauses))
        else:
            self.append(name, rows)

    def _write(self, name: str, rows: Rows, **options: Any) -> None:
        from deltalake import WriterProperties, write_deltalake

        encoding = WriterProperties(
            compression="ZSTD", compression_level=1, max_row_group_size=_ROW_GROUP_ROWS
        )
        path, known = str(self.layout.table(name)), self.options()

        def write() -> None:
            write_deltalake(
                path,
                rows() if callable(rows) else rows,
                schema_mode="merge",
                configuration=KEEP_ALL_VERSIONS,
                storage_options=known,
                writer_properties=encoding,
                **options,
            )

        with self.writing(name):
            retry_on_conflict(write)

    def append_after(self, name: str, make: Callable[[list[dict[str, Any]]], pa.Table]) -> None:
        """Append what follows from the rows there are.

        No writer of any machine comes between reading and writing: where another one was faster,
        the rows are made anew after its own.

        Args:
            name: The table.
            make: Gets all rows of the table and returns those to append.
        """
        from deltalake import CommitProperties, write_deltalake
        from deltalake.exceptions import CommitFailedError, DeltaError

        def write() -> None:
            table = self._load(name) if self.exists(name) else None
            before = self._rows_of(table, name) if table else []
            try:
                write_deltalake(
                    table or str(self.layout.table(name)),
                    make(before),
                    mode="append" if table else "error",
                    schema_mode="merge" if table else None,
                    configuration=None if table else KEEP_ALL_VERSIONS,
                    storage_options=self.options(),
                    commit_properties=CommitProperties(max_commit_retries=0),
                )
            except DeltaError as error:
                if table is None and self.exists(name):
                    raise CommitFailedError("another writer made the table") from error
                raise

        with self.writing(name):
            retry_on_conflict(write, _TRIES_IN_TURN)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return all rows of a table that is small, none where it was never written.

        Raises:
            ToolError: The table is there but cannot be read.
        """
        table = self.find(name)
        return [] if table is None else self._rows_of(table, name)

    def _rows_of(self, table: DeltaTable, name: str) -> list[dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = []
        try:
            for file in self.files(table, name):
                # Without threads of Arrow: one that still holds bytes of Python when the process
                # ends aborts it.
                content = pa.BufferReader(place(file).read_bytes())
                read = pq.ParquetFile(content, pre_buffer=False).read(use_threads=False)
                rows += read.to_pylist()
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise ToolError(f"cannot read table '{name}': {_plain(error)}") from error
        return rows

    def read_anew(self) -> None:
        """Forget what was kept of tables and files that nobody but an intruder changes."""
        self._opened.forget()
        self._named = frozenset()
        if isinstance(self.layout.root, S3Path):
            from asrdq.workspace.s3_files import forget_files

            forget_files()

    def compact(self, name: str) -> bool:
        """Join the files of a table when there are many of them; tell whether it was done."""
        if len(self.open(name).get_add_actions()["path"]) <= COMPACT_ABOVE_FILES:
            return False

        def join() -> None:
            self._load(name).optimize.compact()

        with self.writing(name):
            retry_on_conflict(join)
        return True

    def writing(self, name: str) -> Any:
        """Return the lock under which a table is written: `with store.writing("audits"):`.

        It keeps processes of one machine from undoing each other's work; between machines it is
        the conditional put of a commit that lets one writer through.
        """
        assert "/" in name or name in RESERVED, f"a manifest could be called {name}"
        self.layout.table(name).parent.mkdir(parents=True, exist_ok=True)
        return locked(self.layout.lock(name))


def retry_on_conflict(write: Callable[[], object], tries: int = _TRIES) -> None:
    """Run a Delta write, again with growing pauses where another writer came first.

    Raises:
        ToolError: It failed every time, or for another reason.
    """
    from deltalake.exceptions import CommitFailedError, DeltaError

    for attempt in range(tries):
        try:
            write()
        except CommitFailedError as error:
            if attempt == tries - 1:
                raise ToolError(
                    f"other writers came first {tries} times: {_plain(error)}"
                ) from error
            pause = min(0.05 * 2**attempt, _LONGEST_PAUSE_S)
            time.sleep(pause * (0.5 + random.random()))
        except (DeltaError, OSError) as error:
            raise ToolError(f"cannot write a table: {_plain(error)}") from error
        else:
            return


def _plain(error: Exception) -> str:
    """Return what deltalake says in one line, without colours."""
    return " ".join(_COLOUR.sub("", str(error)).split())


def quote_text(value: str) -> str:
    """Return a value as an SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
