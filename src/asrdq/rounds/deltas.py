"""The table of changes: every metric in every group, corrected for being many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from asrdq.rounds.blocks import Blocking, block_sums
from asrdq.rounds.change import Change, change_of
from asrdq.rounds.detectable import detectable_change, holm
from asrdq.rounds.groups import Grouping
from asrdq.rounds.paired import REPLICATES, Differences, paired_differences
from asrdq.rounds.pairing import Pairing
from asrdq.rounds.schema import DELTAS


def deltas(
    pairing: Pairing,
    metrics: Sequence[str],
    groupings: Sequence[Grouping],
    blocking: Blocking,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    advance: Callable[[float], None] = lambda _: None,
) -> pa.Table:
    """Return one row a metric and group, schema `DELTAS`; groups without units are left out.

    `adjusted_p` is corrected over the groups of one metric and one grouping by Holm's rule.

    Args:
        pairing: Both rounds.
        metrics: Metrics to compare.
        groupings: Partitions of the utterances.
        blocking: What is drawn as one.
        replicates: Bootstrap replicates.
        seed: Seed of the resampling.
        advance: Told of each metric and grouping that is done.
    """
    parts = [DELTAS.empty_table()]
    for metric in metrics:
        for grouping in groupings:
            sums = block_sums(pairing, metric, blocking, grouping.of_row, len(grouping.names))
            found = paired_differences(sums, replicates=replicates, seed=seed)
            parts.append(_rows(found, metric, grouping))
            advance(1)
    return pa.concat_tables(parts)


def change_in(
    pairing: Pairing,
    metric: str,
    blocking: Blocking,
    rows: np.ndarray[Any, np.dtype[np.bool_]],
    scope: str,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Change:
    """Return the change of one metric over some of the utterances."""
    group = np.where(rows, 0, -1).astype(np.int64)
    sums = block_sums(pairing, metric, blocking, group, 1)
    return change_of(paired_differences(sums, replicates=replicates, seed=seed), 0, metric, scope)


def _rows(found: Differences, metric: str, grouping: Grouping) -> pa.Table:
    method = np.where(found.resampled, "bootstrap", np.where(found.blocks > 1, "t", "none"))
    columns: dict[str, Any] = {
        "metric": np.full(len(method), metric, object),
        "by": np.full(len(method), grouping.by, object),
        "group": np.array(grouping.names, object),
        **{name: getattr(found, name) for name in _TAKEN},
        "adjusted_p": holm(found.p),
        "detectable": detectable_change(found.error, found.blocks),
        "method": method.astype(object),
    }
    known = np.isfinite(found.change)
    arrays = [
        pa.array(columns[field.name][known], field.type, from_pandas=True) for field in DELTAS
    ]
    return pa.Table.from_arrays(arrays, schema=DELTAS)


_TAKEN = (
    "rows", "blocks", "before", "after", "change", "low", "high",
    "relative", "relative_low", "relative_high", "improvement", "p",
)  # fmt: skip
