"""How much of what differs: in rows and hours, by kind of change, by field and by stratum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.versions.comparison import Comparison, Side
from asrdq.workspace.sql import connection
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from asrdq.workspace.store import TableStore

ADDED, REMOVED, CHANGED = "added", "removed", "changed"

_COUNTED = ("before", "after", ADDED, REMOVED, CHANGED)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of rows, and the hours that their durations add up to."""

    rows: int
    hours: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different between two sides.

    Attributes:
        added: Rows that only the newer side has.
        removed: Rows that only the older side has.
        changed: Rows of both that differ; hours as the newer side has them.
        changed_before_hours: The hours of the same rows as the older side has them.
    """

    added: Amount
    removed: Amount
    changed: Amount
    changed_before_hours: float


def compare(store: TableStore, before: Side, after: Side) -> Changes:
    """Return how much was added, removed and changed from one side to another."""
    with connection(store, ()) as (database, _):
        Comparison(before, after).run(database)
        return count_changes(database)


def count_changes(database: DuckDBPyConnection) -> Changes:
    """Count the rows of the table `differing`."""
    rows = database.execute(
        "SELECT change, count(*), coalesce(sum(before_s), 0) / 3600, "
        "coalesce(sum(after_s), 0) / 3600 FROM differing GROUP BY 1"
    ).fetchall()
    found = {change: numbers for change, *numbers in rows}
    added, removed, changed = (found.get(c, (0, 0.0, 0.0)) for c in (ADDED, REMOVED, CHANGED))
    return Changes(
        added=Amount(added[0], added[2]),
        removed=Amount(removed[0], removed[1]),
        changed=Amount(changed[0], changed[2]),
        changed_before_hours=changed[1],
    )


def count_fields(database: DuckDBPyConnection, compared: Comparison) -> pa.Table:
    """Return in how many rows and hours each compared column differs, in their order."""
    counts = [
        f"SELECT {index} AS place, {quote_text(name)} AS field, count(*) AS rows, "
        f"coalesce(sum(after_s), 0) / 3600 AS hours FROM differing WHERE field_{index}"
        for index, name in enumerate(compared.fields())
    ]
    return database.sql(
        f"SELECT field, rows, hours FROM ({' UNION ALL '.join(counts)}) ORDER BY place"
    ).to_arrow_table()


def count_strata(database: DuckDBPyConnection, compared: Comparison) -> pa.Table:
    """Return a row a stratum in the order of its values; without strata one row of all.

    A row that changed its stratum counts for the one that it has now.
    """
    strata = [f"stratum_{index}" for index in range(len(compared.by))]
    hours = "sum(CASE WHEN change = 'removed' THEN before_s ELSE after_s END) / 3600"
    parts = [
        _of_side(compared.before, "before", compared.by),
        _of_side(compared.after, "after", compared.by),
        f"SELECT {', '.join([*strata, 'change AS what'])}, count(*) AS rows, {hours} AS hours "
        "FROM differing GROUP BY ALL",
    ]
    named = [f"{s} AS {quote_name(name)}" for s, name in zip(strata, compared.by, strict=True)]
    sums = [
        f"coalesce(sum({measure}) FILTER (what = '{what}'), 0)::{kind} AS {what}_{measure}"
        for what in _COUNTED
        for measure, kind in (("rows", "BIGINT"), ("hours", "DOUBLE"))
    ]
    order = f"GROUP BY {', '.join(strata)} ORDER BY {', '.join(strata)}" if strata else ""
    return database.sql(
        f"SELECT {', '.join([*named, *sums])} FROM ({' UNION ALL '.join(parts)}) {order}"
    ).to_arrow_table()


def _of_side(side: Side, what: str, by: tuple[str, ...]) -> str:
    strata = [f"{side.stratum(name)} AS stratum_{index}" for index, name in enumerate(by)]
    return (
        f"SELECT {', '.join([*strata, f'{quote_text(what)} AS what'])}, count(*) AS rows, "
        f"sum(duration_s) / 3600 AS hours FROM ({side.body}) GROUP BY ALL"
    )
