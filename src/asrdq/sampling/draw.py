"""Draw a stratified sample of a manifest, the same rows on every machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.errors import DataError, UsageError
from asrdq.sampling.allocation import Allocated, StratumSize, allocate, check_share_names
from asrdq.sampling.keys import draw_keys
from asrdq.sampling.plan import SamplingPlan
from asrdq.sampling.strata import stratum_sql
from asrdq.workspace.sandbox import user_query

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


def draw(
    workspace: Workspace, manifest: ManifestVersion, plan: SamplingPlan
) -> tuple[list[Allocated], pa.Table]:
    """Return the allocation and the drawn clips (utt_id, stratum, rank, duration_s); no writes.

    Raises:
        UsageError: A column or condition is wrong, or rows fall under no rule.
        DataError: The manifest has no rows.
    """
    expression = stratum_sql(plan.strata, manifest)
    rows = f'SELECT utt_id, duration_s, {expression} AS stratum FROM "{manifest}"'
    sizes = _sizes(workspace, manifest, rows)
    clips = sum(size.rows for size in sizes)
    shares = plan.rule_shares()
    if plan.allocation == "shares" and plan.shares is not None:
        check_share_names(shares, sizes)
    wanted = plan.rows if plan.fraction is None else max(1, round(plan.fraction * clips))
    allocated = allocate(
        sizes, plan.allocation, rows=wanted, hours=plan.hours, shares=_present(shares, sizes)
    )
    return allocated, _pick(workspace, rows, allocated, plan.seed)


def _present(shares: Mapping[str, float], sizes: Sequence[StratumSize]) -> dict[str, float]:
    """Return the shares of strata that have rows, blown up to add up to 1."""
    names = {size.name for size in sizes}
    kept = {name: share for name, share in shares.items() if name in names}
    total, whole = sum(kept.values()), sum(shares.values())
    return {name: share * whole / total for name, share in kept.items()} if total else kept


def _sizes(workspace: Workspace, manifest: ManifestVersion, rows: str) -> list[StratumSize]:
    counted = _run(
        workspace,
        "SELECT stratum, count(*) AS clips, coalesce(sum(duration_s), 0) / 3600 AS hours "
        f"FROM ({rows}) GROUP BY stratum ORDER BY stratum",
    ).to_pylist()
    if not counted:
        raise DataError(f"{manifest} has no rows to draw from", hint="ingest a manifest with rows")
    for row in counted:
        if row["stratum"] is None:
            raise UsageError(
                f"{row['clips']:,} of {manifest.rows:,} rows fall under no stratum rule",
                hint="add a last rule without `where`, which takes the rest",
            )
    return [StratumSize(row["stratum"], row["clips"], row["hours"]) for row in counted]


def _run(workspace: Workspace, sql: str) -> pa.Table:
    with user_query(workspace.store, sql) as reader:
        return reader.read_all()


def _pick(workspace: Workspace, rows: str, allocated: Sequence[Allocated], seed: int) -> pa.Table:
    """Return the clips with the smallest keys of every stratum, in the order of their keys."""
    names = pa.array([each.stratum.name for each in allocated])
    bounds = np.array([_key_bound(each) for each in allocated], np.uint64)
    kept: list[pa.RecordBatch] = []
    codes, keys = [], []
    with user_query(workspace.store, rows) as reader:
        for batch in reader:
            key = draw_keys(batch.column("utt_id"), seed)
            code = pc.index_in(batch.column("stratum"), names).to_numpy(zero_copy_only=False)
            near = np.flatnonzero(key <= bounds[code])
            kept.append(batch.select(["utt_id", "duration_s"]).take(pa.array(near)))
            codes.append(code[near])
            keys.append(key[near])
    code, key = np.concatenate(codes), np.concatenate(keys)
    clips = pa.Table.from_batches(kept)
    order = np.lexsort((key, code))
    place = np.arange(len(order)) - np.searchsorted(code[order], code[order], side="left")
    wanted = np.array([each.drawn_rows for each in allocated])
    taken = place < wanted[code[order]]
    return (
        clips.take(pa.array(order[taken]))
        .append_column("stratum", names.take(pa.array(code[order[taken]])))
        .append_column("rank", pa.array(place[taken] + 1))
    )


def _key_bound(each: Allocated) -> int:
    """Return a key under which the drawn clips of a stratum lie with near certainty.

    Keys are uniform, so n of N lie below n/N; ten standard deviations more are allowed.
    """
    wanted, there = each.drawn_rows, each.stratum.rows
    share = (wanted + 10.0 * math.sqrt(wanted) + 50.0) / there
    return 2**64 - 1 if share >= 1.0 else int(share * 2**64)
