"""Rows of a table that hold some values, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import Workspace


def newest_first(
    workspace: Workspace, table: str, schema: pa.Schema, by: str, **where: str
) -> list[dict[str, Any]]:
    """Return the rows with some values, the newest first by a column of times."""
    clause = " AND ".join(f"{name} = {quote_text(value)}" for name, value in where.items())
    rows = workspace.read(table, clause, schema=schema).sort_by([(by, "descending")])
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


def newest(
    workspace: Workspace, table: str, schema: pa.Schema, by: str, **where: str
) -> dict[str, Any] | None:
    """Return the newest of the rows that `newest_first` returns; None where there is none."""
    return next(iter(newest_first(workspace, table, schema, by, **where)), None)
