"""What became of each row between two tables of clips, found by their ids in DuckDB.

Two passes. The first reads only hashes: of each id, and of everything that is compared. Rows
for which both agree (128 bits) are the same and are not looked at again. The second pass reads the
others in full and compares value by value, so that its cost is that of what changed. Nothing is
held that does not fit in memory: what is too large is spilled to disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.manifests.columns import AUDIO_PATH, DURATION, UTT_ID
from asrdq.manifests.widening import common_type
from asrdq.workspace.sql import select_from, sql_type
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from asrdq.workspace import ManifestVersion
    from asrdq.workspace.store import TableStore

MEMORY = "1200MB"
"""What DuckDB may hold before it spills."""


@dataclass(frozen=True, slots=True)
class Side:
    """A table of clips to be compared.

    Attributes:
        body: The query that reads it; its ids are unique.
        schema: Its columns.
        audio_root: Folder that its audio paths are relative to.
    """

    body: str
    schema: pa.Schema
    audio_root: str

    @classmethod
    def of(cls, store: TableStore, manifest: ManifestVersion) -> Side:
        """Return a version of a manifest as a side."""
        body, _ = select_from(store, manifest.table, manifest.version)
        schema = store.schema(store.open(manifest.table, manifest.version))
        return cls(body, schema, manifest.audio_root)

    def value(self, column: str, kind: pa.DataType) -> str:
        """Return the expression of a column as it is compared: paths without their root."""
        name = quote_name(column)
        if column == AUDIO_PATH:
            prefix = self.audio_root.rstrip("/") + "/"
            return (
                f"CASE WHEN starts_with({name}, {quote_text(prefix)}) "
                f"THEN substr({name}, {len(prefix) + 1}) ELSE {name} END"
            )
        if self.schema.field(column).type == kind:
            return name
        return f"CAST({name} AS {sql_type(kind)})"

    def stratum(self, column: str) -> str:
        """Return a column as text; null where this side does not have it."""
        if column in self.schema.names:
            return f"CAST({quote_name(column)} AS VARCHAR)"
        return "NULL::VARCHAR"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, and what is compared.

    Attributes:
        before: The older side.
        after: The newer side.
        by: Columns whose values are strata; one of the sides has each of them.
    """

    before: Side
    after: Side
    by: tuple[str, ...] = ()

    def fields(self) -> list[str]:
        """Return the columns that both sides have, the id left out, in the newer order."""
        both = set(self.before.schema.names) - {UTT_ID}
        return [name for name in self.after.schema.names if name in both]

    def run(self, database: DuckDBPyConnection) -> None:
        """Find the rows that differ, into the temporary table `differing`.

        Its columns: `utt_id`, `change` (added, removed or changed), `before_s` and `after_s`
        (durations), `field_0` … (whether the field differs, false for added and removed rows) and
        `stratum_0` … (of the newer side, for removed rows of the older).
        """
        self.find_suspects(database)
        fields = self.fields()
        differs = [
            f"b.{UTT_ID} IS NOT NULL AND a.{UTT_ID} IS NOT NULL AND "
            f"b.v_{index} IS DISTINCT FROM a.v_{index} AS field_{index}"
            for index in range(len(fields))
        ]
        strata = [f"{self._stratum(i, name)} AS stratum_{i}" for i, name in enumerate(self.by)]
        chosen = ", ".join(
            [
                f"coalesce(a.{UTT_ID}, b.{UTT_ID}) AS utt_id",
                f"{CHANGE} AS change",
                "b.duration_s AS before_s",
                "a.duration_s AS after_s",
                *differs,
                *strata,
            ]
        )
        database.execute(
            f"CREATE TEMP TABLE differing AS SELECT {chosen} FROM {self.joined()} "
            f"WHERE {self.distinct()}"
        )

    def find_suspects(self, database: DuckDBPyConnection) -> None:
        """Find the ids whose rows may differ, into the temporary table `suspects`, as hashes."""
        database.execute(f"SET memory_limit = '{MEMORY}'")
        database.execute("SET preserve_insertion_order = false")
        hashed = (
            f"SELECT hash({UTT_ID}) AS id, hash({', '.join(self._values(side))}) AS content "
            f"FROM ({side.body})"
            for side in (self.before, self.after)
        )
        older, newer = hashed
        database.execute(
            "CREATE TEMP TABLE suspects AS SELECT DISTINCT id "
            f"FROM ({older}) b FULL JOIN ({newer}) a USING (id) "
            "WHERE b.content IS DISTINCT FROM a.content"
        )

    def joined(self) -> str:
        """Return the FROM clause that puts the suspects of both sides beside each other."""
        older, newer = self._suspects(self.before), self._suspects(self.after)
        return f"({older}) b FULL JOIN ({newer}) a ON b.{UTT_ID} = a.{UTT_ID}"

    def distinct(self) -> str:
        """Return the condition that a pair of suspects does differ."""
        pairs = [f"b.v_{i} IS DISTINCT FROM a.v_{i}" for i in range(len(self.fields()))]
        alone = f"b.{UTT_ID} IS NULL OR a.{UTT_ID} IS NULL"
        return " OR ".join([alone, *pairs])

    def _suspects(self, side: Side) -> str:
        values = [f"{value} AS v_{index}" for index, value in enumerate(self._values(side))]
        strata = [f"{side.stratum(name)} AS s_{i}" for i, name in enumerate(self.by)]
        columns = ", ".join([UTT_ID, AUDIO_PATH, DURATION, *values, *strata])
        return (
            f"SELECT {columns} FROM ({side.body}) WHERE hash({UTT_ID}) IN (SELECT id FROM suspects)"
        )

    def _values(self, side: Side) -> list[str]:
        return [side.value(name, self._kind(name)) for name in self.fields()]

    def _kind(self, column: str) -> pa.DataType:
        return common_type(
            self.before.schema.field(column).type, self.after.schema.field(column).type
        )

    def _stratum(self, index: int, column: str) -> str:
        newer = column in self.after.schema.names
        return f"CASE WHEN a.{UTT_ID} IS NULL THEN b.s_{index} ELSE " + (
            f"a.s_{index} END" if newer else f"b.s_{index} END"
        )


CHANGE = (
    f"CASE WHEN b.{UTT_ID} IS NULL THEN 'added' "
    f"WHEN a.{UTT_ID} IS NULL THEN 'removed' ELSE 'changed' END"
)
"""The word for what became of a pair of `Comparison.joined`."""
