"""The tables of training runs, column by column."""

from __future__ import annotations

import pyarrow as pa

RUNS_TABLE, METRICS_TABLE = "train_runs", "train_metrics"

TRAIN_METRICS = pa.schema(
    [
        ("run", pa.string()),
        ("step", pa.int64()),
        ("epoch", pa.float64()),
        ("split", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("wall_time", pa.timestamp("us", "UTC")),
        ("name", pa.string()),
        ("file", pa.string()),
    ]
)
"""One row a run, split, metric and step: what was logged last of it.

`split` is train, validation, test, system, or audit for figures of the data; `metric` the name that
all logs share, `name` the one in the log; `value` may be NaN or infinite. `epoch` and `wall_time`
are null where the log lacks them. `file` is relative to the run."""

TRAIN_RUNS = pa.schema(
    [
        ("run", pa.string()),
        ("place", pa.string()),
        ("manifest", pa.string()),
        ("state", pa.string()),
        ("last_step", pa.int64()),
        ("max_steps", pa.int64()),
        ("last_epoch", pa.float64()),
        ("files", pa.list_(pa.string())),
        ("unfreezes", pa.list_(pa.int64())),
        ("resumes", pa.int64()),
        ("problems", pa.int64()),
        ("updated", pa.timestamp("us", "UTC")),
    ]
)
"""One row a run. `state` is running or ended, `manifest` the version that it trains on where that
was said, `unfreezes` the steps at which layers were unfrozen, `problems` counts the records of its
logs that could not be read."""
