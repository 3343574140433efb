"""Values of a column that are on both sides: speakers, terms, sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.leakage.matches import MATCHES, Compared
from asrdq.workspace.sql import connection, select_from
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

WORDS = {"term": ("term", "terms"), "speaker": ("speaker",)}
"""Kinds that stand for the first of some columns which the manifest has."""

_VALUES = "SELECT utt_id, {value} AS value FROM ({rows}) WHERE {column} IS NOT NULL"
_SHARED = """
    WITH other AS (
        SELECT value, min(utt_id) AS first, count(*) AS others FROM ({train})
        WHERE value <> '' GROUP BY value)
    SELECT {kind} AS kind, asked.utt_id, min(first) AS other_utt_id,
        sum(others)::BIGINT AS others, 1.0::DOUBLE AS similarity,
        string_agg(DISTINCT value, ', ' ORDER BY value) AS detail
    FROM ({evaluation}) asked JOIN other USING (value) GROUP BY asked.utt_id
"""
_TOUCHED = """
    SELECT count(DISTINCT utt_id) FROM ({train})
    WHERE value <> '' AND value IN (SELECT value FROM ({evaluation}))
"""


def shared_values(
    workspace: Workspace, train: ManifestVersion, evaluation: ManifestVersion, kind: str
) -> Compared:
    """Compare the values of a column, one or a list a row, of two manifests.

    A manifest without the column, or without a value in it, leaves the kind uncompared.
    """
    sides = [_values(workspace, manifest, kind) for manifest in (train, evaluation)]
    for manifest, side in zip((train, evaluation), sides, strict=True):
        if side is None:
            gap = f"{manifest} has no column for it"
            return Compared(MATCHES.empty_table(), {}, {kind: gap})
    names = {"train": sides[0], "evaluation": sides[1], "kind": quote_text(kind)}
    with connection(workspace.store, ()) as (database, _):
        for manifest, side in zip((train, evaluation), sides, strict=True):
            filled = database.sql(f"SELECT 1 FROM ({side}) WHERE value <> '' LIMIT 1").fetchall()
            if not filled:
                gap = f"{manifest} states none"
                return Compared(MATCHES.empty_table(), {}, {kind: gap})
        matches = database.sql(_SHARED.format(**names)).to_arrow_table().cast(MATCHES)
        [[touched]] = database.sql(_TOUCHED.format(**names)).fetchall()
    return Compared(matches, {kind: touched}, {})


def _values(workspace: Workspace, manifest: ManifestVersion, kind: str) -> str | None:
    """Return the query of ids and values of a manifest, None where it has no such column."""
    there = [name for name in WORDS.get(kind, (kind,)) if name in manifest.columns]
    if not there:
        return None
    table = workspace.store.open(manifest.table, manifest.version)
    schema = workspace.store.schema(table)
    listed = pa.types.is_list(schema.field(there[0]).type)
    column = quote_name(there[0])
    body, _ = select_from(workspace.store, manifest.table, manifest.version)
    value = f"unnest({column})::VARCHAR" if listed else f"{column}::VARCHAR"
    return _VALUES.format(value=value, rows=body, column=column)
