"""`asrdq diff`: what changed between two versions of manifests, in rows and hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asrdq.errors import ToolError, unknown
from asrdq.results import Result
from asrdq.versions.comparison import CHANGE, Comparison, Side
from asrdq.versions.counting import (
    ADDED,
    CHANGED,
    REMOVED,
    Amount,
    Changes,
    count_changes,
    count_fields,
    count_strata,
)
from asrdq.workspace.sql import connection, sql_type
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from asrdq.workspace import ManifestVersion, Workspace

STEPS = 3
"""How often `diff_manifests` calls `advance`."""


@dataclass(frozen=True)
class DiffResult(Result):
    """What changed from one version to another.

    Rows are the same row where their ids agree. A null is equal to a null and a NaN to a NaN; of
    audio paths the part below the audio root is compared. Columns that only one side has make no
    row a changed one; they are named.

    Attributes:
        before: The older version.
        after: The newer one.
        changes: Rows and hours that were added, removed and changed.
        unchanged: Rows of both that do not differ.
        fields: For each column that both have: rows and hours in which it differs.
        strata: A row a stratum (one row without strata): what is in it before and after, and
            what was added, removed and changed. A changed row counts for the stratum it has now.
        by: The columns that make the strata.
        only_before: Columns that only the older has.
        only_after: Columns that only the newer has.
        notes: What a person should know: another audio root, another type of a column.
    """

    main_table: ClassVar[str] = "strata"

    before: ManifestVersion
    after: ManifestVersion
    changes: Changes
    unchanged: Amount
    fields: pa.Table
    strata: pa.Table
    by: tuple[str, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether anything does: a row or a column."""
        counts = self.changes
        rows = counts.added.rows + counts.removed.rows + counts.changed.rows
        return bool(rows or self.only_before or self.only_after)

    def totals(self) -> dict[str, Amount]:
        """Return the amounts by what became of the rows."""
        counts = self.changes
        return {
            ADDED: counts.added,
            REMOVED: counts.removed,
            CHANGED: counts.changed,
            "unchanged": self.unchanged,
        }

    def summary(self) -> str:
        """Return what was added, removed and changed in plain text."""
        lines = [f"{self.before} → {self.after}"]
        for name, amount in self.totals().items():
            lines.append(f"  {name:<10}{amount.rows:>12,} rows {amount.hours:>12,.2f} h")
        for row in self.fields.to_pylist():
            if row["rows"]:
                lines.append(f"    {row['field']}: {row['rows']:,} rows, {row['hours']:,.2f} h")
        for version, names in ((self.before, self.only_before), (self.after, self.only_after)):
            if names:
                lines.append(f"  only {version} has {', '.join(names)}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def diff_manifests(
    workspace: Workspace,
    before: ManifestVersion,
    after: ManifestVersion,
    *,
    by: Sequence[str] = (),
    advance: Callable[[int], object] = lambda _: None,
) -> DiffResult:
    """Compare two versions, of one manifest or of two.

    Args:
        workspace: Where they are.
        before: The older one.
        after: The newer one.
        by: Columns whose values are strata.
        advance: Called three times with 1, for a progress display.

    Raises:
        UsageError: A column of `by` is in neither.
        ToolError: The rows do not add up: the files of a version were changed by hand.
    """
    compared = _comparison(workspace, before, after, by)
    with connection(workspace.store, ()) as (database, _):
        return _counted(database, compared, before, after, advance)


def _counted(
    database: DuckDBPyConnection,
    compared: Comparison,
    before: ManifestVersion,
    after: ManifestVersion,
    advance: Callable[[int], object],
) -> DiffResult:
    compared.run(database)
    advance(1)
    fields = count_fields(database, compared)
    advance(1)
    strata, changes = count_strata(database, compared), count_changes(database)
    advance(1)
    ours, theirs = set(before.columns), set(after.columns)
    return DiffResult(
        before=before,
        after=after,
        changes=changes,
        unchanged=_unchanged(before, after, changes),
        fields=fields,
        strata=strata,
        by=compared.by,
        only_before=tuple(name for name in before.columns if name not in theirs),
        only_after=tuple(name for name in after.columns if name not in ours),
        notes=tuple(_notes(compared)),
    )


def _unchanged(before: ManifestVersion, after: ManifestVersion, changes: Changes) -> Amount:
    rows = after.rows - changes.added.rows - changes.changed.rows
    if rows != before.rows - changes.removed.rows - changes.changed.rows:
        raise ToolError(
            f"the rows of {before} and {after} do not add up: files of the tables were changed",
            hint="ingest the manifests again",
        )
    hours = after.hours - changes.added.hours - changes.changed.hours
    return Amount(rows, max(0.0, hours) if rows else 0.0)


@contextmanager
def changed_rows(
    workspace: Workspace,
    before: ManifestVersion,
    after: ManifestVersion,
    *,
    by: Sequence[str] = (),
    advance: Callable[[int], object] = lambda _: None,
) -> Iterator[tuple[DiffResult, pa.RecordBatchReader]]:
    """Compare two versions as `diff_manifests` does; give the rows that differ as a stream too.

    The rows come in order of their ids: one for each field that changed, with its value before and
    after as text, and one for each clip that was added or removed, whose `field`, `before` and
    `after` are null. `audio_path` and `duration_s` are those of the newer side, for removed
    rows of the older.
    """
    compared = _comparison(workspace, before, after, by)
    texts = [
        f"CASE WHEN b.v_{index} IS DISTINCT FROM a.v_{index} THEN {{'field': {quote_text(name)}, "
        f"'before': CAST(b.v_{index} AS VARCHAR), 'after': CAST(a.v_{index} AS VARCHAR)}} END"
        for index, name in enumerate(compared.fields())
    ]
    nothing = "{'field': NULL::VARCHAR, 'before': NULL::VARCHAR, 'after': NULL::VARCHAR}"
    listed = f"list_filter([{', '.join(texts)}], lambda x: x IS NOT NULL)"
    query = f"""
        SELECT change, utt_id, audio_path, duration_s, unnest(details, recursive := true)
        FROM (
            SELECT {CHANGE} AS change, coalesce(a.utt_id, b.utt_id) AS utt_id,
                coalesce(a.audio_path, b.audio_path) AS audio_path,
                CASE WHEN a.utt_id IS NULL THEN b.duration_s ELSE a.duration_s END AS duration_s,
                CASE WHEN change = 'changed' THEN {listed} ELSE [{nothing}] END AS details
            FROM {compared.joined()} WHERE {compared.distinct()} ORDER BY utt_id
        )
    """
    with connection(workspace.store, ()) as (database, _):
        result = _counted(database, compared, before, after, advance)
        database.execute("SET preserve_insertion_order = true")
        yield result, database.sql(query).to_arrow_reader()


def _comparison(
    workspace: Workspace, before: ManifestVersion, after: ManifestVersion, by: Sequence[str]
) -> Comparison:
    known = {*before.columns, *after.columns}
    for column in by:
        if column not in known:
            raise unknown("column", column, known)
    store = workspace.store
    return Comparison(Side.of(store, before), Side.of(store, after), tuple(by))


def _notes(compared: Comparison) -> Iterator[str]:
    older, newer = compared.before, compared.after
    if older.audio_root != newer.audio_root:
        yield (
            f"the audio root was {older.audio_root} and is {newer.audio_root}: "
            "paths are compared below it"
        )
    for name in compared.fields():
        was, now = older.schema.field(name).type, newer.schema.field(name).type
        if was != now:
            yield f"column '{name}' was {sql_type(was)} and is {sql_type(now)}"
