"""Results of costly work, kept by content: what was done once is not done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.workspace.layout import CACHE
from asrdq.workspace.sql import select_from, short_connection

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace.store import TableStore

KEY = "key"
_COMPACT_EVERY = 32


class ContentCache:
    """An append-only table of results by key, safe when the process dies at any moment.

    Rows of equal key must be equal: of several, one is given back. Every `add` is one atomic
    commit, so a killed run loses at most what it had not added.

    Example:
        >>> cache = workspace.cache("alignments")          # doctest: +SKIP
        >>> known = cache.lookup(pa.array(["a1", "b2"]))   # doctest: +SKIP
    """

    def __init__(self, store: TableStore, name: str) -> None:
        self._store = store
        self._name = f"{CACHE}/{name}"
        self._added = 0

    def lookup(self, keys: pa.Array | pa.ChunkedArray) -> pa.Table:
        """Return the rows found, one a key, in no particular order.

        The table has no columns and no rows while nothing was ever added.
        """
        import pyarrow as pa

        if not self._store.exists(self._name):
            return pa.table({})
        wanted = pa.table({KEY: keys.cast(pa.string())})
        body, _ = select_from(self._store, self._name)
        with short_connection(self._store, ()) as database:
            database.register("wanted", wanted)
            return database.sql(
                f"SELECT * FROM ({body}) WHERE {KEY} IN (SELECT {KEY} FROM wanted) "
                f"QUALIFY row_number() OVER (PARTITION BY {KEY}) = 1"
            ).to_arrow_table()

    def add(self, rows: pa.Table) -> None:
        """Add rows, which have a text column `key`, in one commit."""
        if KEY not in rows.column_names:
            raise ValueError(f"rows of a cache need a column '{KEY}'")
        if rows.num_rows == 0:
            return
        self._store.append(self._name, rows)
        self._added += 1
        if self._added % _COMPACT_EVERY == 0:
            self._store.compact(self._name)
