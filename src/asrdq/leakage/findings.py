"""Matches become findings: rows, hours and share by kind, held against the limits of a plan."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.leakage.matches import Compared
from asrdq.leakage.plan import LeakPlan

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


class State(enum.StrEnum):
    """What became of a kind."""

    FINE = "fine"
    FOUND = "found"
    TOO_MUCH = "too_much"
    UNKNOWN = "unknown"


FINDINGS = pa.schema(
    [
        ("kind", pa.string()),
        ("state", pa.string()),
        ("rows", pa.int64()),
        ("hours", pa.float64()),
        ("share", pa.float64()),
        ("other_rows", pa.int64()),
        ("limit", pa.float64()),
        ("detail", pa.string()),
    ]
)
"""One row a kind. `rows`, `hours` and `share` are of the manifest that is asked about; `share` is
of its rows. `state` is `fine`, `found` (within the limit, or there is none), `too_much`, or
`unknown`: it could not be compared, or nothing was found but not every row could be compared."""


def findings(compared: Compared, durations: pa.Table, plan: LeakPlan, *, strict: bool) -> pa.Table:
    """Return a row a kind of the plan (schema `FINDINGS`).

    Args:
        compared: All matches.
        durations: `utt_id` and `duration_s` of the touched rows, and the number of all rows in
            the metadata key `rows`.
        plan: Kinds and limits.
        strict: Whether kinds that a plan does not name have the limits of a leak check.
    """
    rows = int(durations.schema.metadata[b"rows"])
    matches = compared.matches.join(durations, "utt_id", join_type="left outer")
    records: list[dict[str, Any]] = []
    for kind in plan.kinds():
        mine = matches.filter(pc.field("kind") == kind)
        limit = plan.limit(kind) if strict else plan.max_share.get(kind)
        share = mine.num_rows / rows if rows else 0.0
        gap = compared.gaps.get(kind)
        records.append(
            {
                "kind": kind,
                "state": str(_state(mine.num_rows, share, limit, gap)),
                "rows": mine.num_rows,
                "hours": (pc.sum(mine["duration_s"]).as_py() or 0.0) / 3600,
                "share": share,
                "other_rows": compared.other_rows.get(kind),
                "limit": limit,
                "detail": gap,
            }
        )
    return pa.Table.from_pylist(records, schema=FINDINGS)


def touched_durations(
    workspace: Workspace, manifest: ManifestVersion, compared: Compared
) -> pa.Table:
    """Return utt_id and duration_s of the rows that are touched, as `findings` takes them."""
    touched = pc.unique(compared.matches["utt_id"])
    schema = pa.schema([("utt_id", pa.string()), ("duration_s", pa.float64())])
    found = []
    with workspace.stream(manifest, schema.names) as reader:
        for batch in reader:
            found.append(batch.filter(pc.is_in(batch.column("utt_id"), touched)))
    table = pa.Table.from_batches(found, schema)
    return table.replace_schema_metadata({"rows": str(manifest.rows)})


def too_much(found: pa.Table) -> list[str]:
    """Return the kinds above their limit."""
    return [row["kind"] for row in found.to_pylist() if row["state"] == State.TOO_MUCH]


def undecided(found: pa.Table) -> list[str]:
    """Return the kinds with a limit of which it is not known whether they keep it."""
    return [
        row["kind"]
        for row in found.to_pylist()
        if row["state"] == State.UNKNOWN and row["limit"] is not None
    ]


def _state(rows: int, share: float, limit: float | None, gap: str | None) -> State:
    if limit is not None and share > limit:
        return State.TOO_MUCH
    if gap is not None:
        return State.UNKNOWN
    return State.FOUND if rows else State.FINE


def line(row: dict[str, Any]) -> str:
    """Return a finding in words."""
    said = f"{row['kind']}: {row['rows']:,} rows, {row['hours']:.2f} h, {row['share']:.2%}"
    if row["limit"] is not None:
        said += f" (limit {row['limit']:.2%})"
    return f"{said}; {row['detail']}" if row["detail"] else said
