"""The table `handoffs`: what was handed off, to what, by whom answered for."""

from __future__ import annotations

import pyarrow as pa

TABLE = "handoffs"

HANDOFFS = pa.schema(
    [
        ("run_id", pa.string()),
        ("handed_off", pa.timestamp("us", "UTC")),
        ("bundle_id", pa.string()),
        ("bundle", pa.string()),
        ("train", pa.string()),
        ("train_fingerprint", pa.string()),
        ("train_verdict", pa.string()),
        ("train_rows", pa.int64()),
        ("train_hours", pa.float64()),
        ("validation", pa.string()),
        ("validation_fingerprint", pa.string()),
        ("validation_verdict", pa.string()),
        ("validation_rows", pa.int64()),
        ("validation_hours", pa.float64()),
        ("recipe", pa.string()),
        ("recipe_hash", pa.string()),
        ("backend", pa.string()),
        ("signed_by", pa.list_(pa.string())),
        ("overridden", pa.bool_()),
        ("policy", pa.string()),
        ("policy_hash", pa.string()),
        ("leaks_run_id", pa.string()),
        ("asrdq_version", pa.string()),
    ]
)
"""One row a bundle. `bundle_id` is the SHA-256 of its `provenance.json`: kept elsewhere, it proves
that nobody wrote the whole bundle anew. A verdict is null where none was asked for."""
