"""Draw a stratified sample of a manifest, the same rows on every machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from asrdq.engine.threads import in_threads
from asrdq.errors import DataError, UsageError
from asrdq.sampling.allocation import Allocated, StratumSize, allocate, check_share_names
from asrdq.sampling.keys import Keys, draw_keys
from asrdq.sampling.neyman import deviations
from asrdq.sampling.plan import SamplingPlan
from asrdq.sampling.strata import SEPARATOR, Strata, stratum_parts
from asrdq.workspace.sandbox import user_query

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Codes = NDArray[np.int32]

_THREADS = 2


def draw(
    workspace: Workspace, manifest: ManifestVersion, plan: SamplingPlan
) -> tuple[list[Allocated], pa.Table]:
    """Return the allocation and the drawn clips (utt_id, stratum, rank, duration_s); no writes.

    Raises:
        UsageError: A column or condition is wrong, or rows fall under no rule.
        DataError: The manifest has no rows, or not one of them is drawn.
    """
    sizes = stratum_sizes(workspace, manifest, plan.strata)
    allocated = allocated_by(workspace, manifest, plan, sizes)
    if not any(each.drawn_rows for each in allocated):
        raise DataError(f"not one clip of {manifest} is drawn", hint="ask for a larger sample")
    rows = _rows(manifest, stratum_parts(plan.strata, manifest))
    return allocated, _pick(workspace, rows, allocated, plan.seed)


def allocated_by(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: SamplingPlan,
    sizes: Sequence[StratumSize],
) -> list[Allocated]:
    """Return how many clips a plan draws of each stratum of a manifest.

    Raises:
        UsageError: A share is for a stratum that is not there, or cannot be met.
    """
    clips = sum(size.rows for size in sizes)
    shares = plan.rule_shares()
    if plan.allocation == "shares" and plan.shares is not None:
        check_share_names(shares, sizes)
    wanted = plan.rows if plan.fraction is None else max(1, round(plan.fraction * clips))
    known = deviations(workspace, manifest, sizes) if plan.allocation == "neyman" else None
    return allocate(
        sizes,
        plan.allocation,
        rows=wanted,
        hours=plan.hours,
        shares=_present(shares, sizes),
        deviations=known,
        at_least_rows=plan.at_least_rows,
    )


def _present(shares: Mapping[str, float], sizes: Sequence[StratumSize]) -> dict[str, float]:
    """Return the shares of strata that have rows, blown up to add up to 1."""
    names = {size.name for size in sizes}
    kept = {name: share for name, share in shares.items() if name in names}
    total, whole = sum(kept.values()), sum(shares.values())
    return {name: share * whole / total for name, share in kept.items()} if total else kept


def _rows(manifest: ManifestVersion, parts: Sequence[str]) -> str:
    named = [f"{part} AS part_{number}" for number, part in enumerate(parts)]
    return f'SELECT utt_id, duration_s, {", ".join(named)} FROM "{manifest}"'


def stratum_sizes(
    workspace: Workspace, manifest: ManifestVersion, strata: Strata
) -> list[StratumSize]:
    """Return the strata that have rows, with rows and hours, in order of their names.

    Raises:
        UsageError: A column or condition is wrong, or rows fall under no rule.
        DataError: The manifest has no rows.
    """
    parts = stratum_parts(strata, manifest)
    names = ", ".join(f"part_{number}" for number in range(len(parts)))
    counted = _run(
        workspace,
        "SELECT count(*) AS clips, coalesce(sum(duration_s), 0) / 3600 AS hours, "
        f"{names} FROM ({_rows(manifest, parts)}) GROUP BY {names} ORDER BY {names}",
    )
    if counted.num_rows == 0:
        raise DataError(f"{manifest} has no rows to draw from", hint="ingest a manifest with rows")
    sizes = []
    for name, row in zip(_names(counted).to_pylist(), counted.to_pylist(), strict=True):
        if name is None:
            raise UsageError(
                f"{row['clips']:,} of {manifest.rows:,} rows fall under no stratum rule",
                hint="add a last rule without `where`, which takes the rest",
            )
        sizes.append(StratumSize(name, row["clips"], row["hours"]))
    return sizes


def strata_of_sample(
    workspace: Workspace, manifest: ManifestVersion, strata: Strata, run_id: str
) -> pa.Table:
    """Return the stratum that each clip of a sample has in a manifest version.

    Args:
        workspace: Where the manifest is.
        manifest: The version, which need not be the one that the sample was drawn from.
        strata: What makes the strata.
        run_id: The run that drew the sample.
    """
    rows = _rows(manifest, stratum_parts(strata, manifest))
    sample = f"SELECT utt_id FROM samples WHERE run_id = '{run_id}'"
    found = _run(workspace, f"SELECT * FROM ({rows}) SEMI JOIN ({sample}) USING (utt_id)")
    return pa.table({"utt_id": found["utt_id"], "stratum": _names(found)})


def _names(rows: pa.Table | pa.RecordBatch) -> pa.Array:
    """Return the stratum of each row: its parts joined; null where a part is null."""
    parts = [rows.column(name) for name in rows.schema.names if name.startswith("part_")]
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, SEPARATOR)
    return joined.cast(pa.string())


def _run(workspace: Workspace, sql: str) -> pa.Table:
    with user_query(workspace.store, sql) as reader:
        return reader.read_all()


def _pick(workspace: Workspace, rows: str, allocated: Sequence[Allocated], seed: int) -> pa.Table:
    """Return the clips with the smallest keys of every stratum, in the order of their keys."""
    names = pa.array([each.stratum.name for each in allocated])
    bounds = np.array([_key_bound(each) for each in allocated], np.uint64)
    highest = bounds.max()

    def near(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Codes, Keys]:
        key = draw_keys(batch.column("utt_id"), seed)
        place = np.flatnonzero(key <= highest)
        few, key = batch.take(pa.array(place)), key[place]
        code = pc.index_in(_names(few), names).to_numpy(zero_copy_only=False)
        below = key <= bounds[code]
        return few.filter(pa.array(below)), code[below], key[below]

    with user_query(workspace.store, rows) as reader:
        found = (answer for _, answer in in_threads(near, reader, _THREADS, 2 * _THREADS))
        kept, codes, keys = zip(*found, strict=True)
    code, key = np.concatenate(codes), np.concatenate(keys)
    order = np.argsort(key)
    order = order[np.argsort(code[order].astype(_code_type(len(allocated))), kind="stable")]
    place = np.arange(len(order)) - np.searchsorted(code[order], code[order], side="left")
    wanted = np.array([each.drawn_rows for each in allocated])
    taken = place < wanted[code[order]]
    clips = pa.Table.from_batches(kept).select(["utt_id", "duration_s"]).combine_chunks()
    return (
        clips.take(pa.array(order[taken]))
        .append_column("stratum", names.take(pa.array(code[order[taken]])))
        .append_column("rank", pa.array(place[taken] + 1))
    )


def _code_type(strata: int) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type for stratum numbers; NumPy sorts 16 bits in linear time."""
    return np.uint16 if strata <= np.iinfo(np.uint16).max else np.uint32


def _key_bound(each: Allocated) -> int:
    """Return a key under which the drawn clips of a stratum lie with near certainty.

    Keys are uniform, so n of N lie below n/N; ten standard deviations more are allowed.
    """
    wanted, there = each.drawn_rows, each.stratum.rows
    share = (wanted + 10.0 * math.sqrt(wanted) + 50.0) / there
    return 2**64 - 1 if share >= 1.0 else int(share * 2**64)
