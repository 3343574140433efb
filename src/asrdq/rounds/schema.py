"""The tables of comparisons."""

from __future__ import annotations

import pyarrow as pa

TABLE = "comparisons"
GROUPS_TABLE = "comparison_groups"

_RATES = [
    pa.field(name, pa.float64())
    for name in ("before", "after", "change", "low", "high", "relative")
]

DELTAS = pa.schema(
    [
        ("metric", pa.string()),
        ("by", pa.string()),
        ("group", pa.string()),
        ("rows", pa.int64()),
        ("blocks", pa.int64()),
        ("blocked_by", pa.string()),
        *_RATES,
        ("relative_low", pa.float64()),
        ("relative_high", pa.float64()),
        ("improvement", pa.float64()),
        ("p", pa.float64()),
        ("adjusted_p", pa.float64()),
        ("detectable", pa.float64()),
        ("method", pa.string()),
    ]
)
"""One row a metric and group: its `blocks` (speakers, or utterances where there is one speaker or
none), the rates of both rounds, the change with its 95 % interval, the
probability of improvement, p and Holm's p, the change these rows would show with 80 % power, and
how the interval was made (`bootstrap`, `t`, `none`)."""

GROUPS = pa.schema([("run_id", pa.string()), *DELTAS])

COMPARISONS = pa.schema(
    [
        ("run_id", pa.string()),
        ("compared", pa.timestamp("us", "UTC")),
        ("manifest", pa.string()),
        ("manifest_version", pa.int64()),
        ("before", pa.string()),
        ("after", pa.string()),
        ("before_run_id", pa.string()),
        ("after_run_id", pa.string()),
        ("metric", pa.string()),
        ("target", pa.string()),
        ("rows", pa.int64()),
        ("before_rate", pa.float64()),
        ("after_rate", pa.float64()),
        *(pa.field(name, pa.float64()) for name in ("change", "low", "high", "relative")),
        ("verdict", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("go", pa.string()),
        ("criteria", pa.list_(pa.string())),
        ("mapsswe_p", pa.float64()),
        ("mcnemar_p", pa.float64()),
        ("replicates", pa.int64()),
        ("seed", pa.int64()),
        ("asrdq_version", pa.string()),
    ]
)
"""One row a comparison; its groups are the rows of `comparison_groups` with its `run_id`."""
