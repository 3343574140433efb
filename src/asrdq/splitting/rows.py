"""What a split needs to know of every row: its key, length, stratum and groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from asrdq.errors import DataError, UsageError, unknown
from asrdq.sampling.keys import Keys, draw_keys
from asrdq.sampling.strata import EVERYTHING, NO_VALUE, SEPARATOR, check_condition
from asrdq.splitting.components import components
from asrdq.workspace.sandbox import user_query
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.splitting.plan import SplitPlan
    from asrdq.workspace import ManifestVersion, Workspace

WORDS = {"recording": "audio_path", "term": "terms"}
"""Names of groups that stand for a column where the manifest has none of that name."""


@dataclass(frozen=True, slots=True)
class SplitRows:
    """The rows of a manifest in the order of its table, an array each.

    Attributes:
        key: The number that orders the draw.
        seconds: Stated duration, 0 where there is none.
        stratum: Number of the stratum in `strata`.
        strata: Names of the strata.
        groups: A column a group, of hashes or lists of hashes.
        component: A number that rows which belong together share.
    """

    key: Keys
    seconds: NDArray[np.float32]
    stratum: NDArray[np.int32]
    strata: list[str]
    groups: dict[str, pa.ChunkedArray]
    component: NDArray[np.int64]


def read_rows(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: SplitPlan,
    advance: Callable[[float], None],
) -> SplitRows:
    """Read what a split needs, telling `advance` of the number of rows read.

    Raises:
        UsageError: A column or expression is wrong.
        DataError: The manifest has no rows, or hours are asked for and durations are missing.
    """
    groups = {name: _group(workspace, manifest, name) for name in plan.disjoint}
    named = [f"{sql} AS group_{number}" for number, sql in enumerate(groups.values())]
    chosen = ", ".join(["utt_id", "duration_s", f"{_stratum(manifest, plan)} AS stratum", *named])
    keys, seconds, strata = [], [], []
    hashes: list[list[pa.Array]] = [[] for _ in groups]
    without = 0
    with user_query(workspace.store, f'SELECT {chosen} FROM "{manifest}"') as reader:
        for batch in reader:
            keys.append(draw_keys(batch.column("utt_id"), plan.seed))
            without += batch.column("duration_s").null_count
            seconds.append(batch.column("duration_s").fill_null(0.0).to_numpy().astype("f4"))
            strata.append(batch.column("stratum").dictionary_encode())
            for number, chunks in enumerate(hashes):
                # A copy: the column itself would hold the whole batch in memory.
                chunks.append(pa.concat_arrays([batch.column(f"group_{number}")]))
            advance(batch.num_rows)
    if not keys:
        raise DataError(f"{manifest} has no rows to split", hint="ingest a manifest with rows")
    if without and any(side.by_hours for side in plan.sides):
        raise DataError(
            f"{without:,} rows of {manifest} state no duration, so hours cannot be split",
            hint="give sizes as shares or rows, or state the durations",
        )
    columns = {name: pa.chunked_array(chunks) for name, chunks in zip(groups, hashes, strict=True)}
    names = pa.chunked_array(strata).unify_dictionaries()
    stratum = np.concatenate([chunk.indices.to_numpy() for chunk in names.chunks])
    key, length = np.concatenate(keys), np.concatenate(seconds)
    del keys, seconds, strata  # memory is at its highest in what follows
    return SplitRows(
        key=key,
        seconds=length,
        stratum=stratum.astype(np.int32, copy=False),
        strata=names.chunk(0).dictionary.to_pylist(),
        groups=columns,
        component=components(list(columns.values()), manifest.rows),
    )


def expression(manifest: ManifestVersion, name: str, what: str) -> str:
    """Return the SQL of a column of a manifest, or of an expression over its columns.

    Raises:
        UsageError: It is neither.
    """
    if name in manifest.columns:
        return quote_name(name)
    known = WORDS.get(name)
    if known in manifest.columns:
        return quote_name(known)
    if name.replace("_", "").isalnum():
        raise unknown("column", name, manifest.columns, where=f"{what} of {manifest}")
    check_condition(name, where=what)
    return f"({name}\n)"


def _stratum(manifest: ManifestVersion, plan: SplitPlan) -> str:
    if not plan.strata:
        return quote_text(EVERYTHING)
    parts = [expression(manifest, name, "strata") for name in plan.strata]
    texts = [f"coalesce(CAST({part} AS VARCHAR), {quote_text(NO_VALUE)})" for part in parts]
    return f" || {quote_text(SEPARATOR)} || ".join(texts)


def _group(workspace: Workspace, manifest: ManifestVersion, name: str) -> str:
    """Return the SQL of a hash of the group's value, null where it has none.

    Two values of one hash would put rows on one side that need not be, never on two.
    """
    sql = expression(manifest, name, "groups")
    with user_query(workspace.store, f'SELECT {sql} AS value FROM "{manifest}" LIMIT 0') as reader:
        kind = reader.schema.field("value").type
    if pa.types.is_list(kind):
        if not pa.types.is_string(kind.value_type):
            raise UsageError(f"the group '{name}' is a list of {kind.value_type}, not of text")
        return f"list_transform(list_filter({sql}, lambda x: x <> ''), lambda x: hash(x))"
    value = f"nullif({sql}, '')" if pa.types.is_string(kind) else sql
    return f"CASE WHEN {value} IS NOT NULL THEN hash({value}) END"


def group_sizes(rows: SplitRows, names: Sequence[str]) -> NDArray[np.int64]:
    """Return how many rows each component has when only the named groups link rows."""
    number = components([rows.groups[name] for name in names], len(rows.key))
    return np.unique(number, return_counts=True)[1]
