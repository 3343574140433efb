"""The tables a draw writes, column by column."""

from __future__ import annotations

import pyarrow as pa

_KEYS = [
    ("run_id", pa.string()),
    ("manifest", pa.string()),
    ("manifest_version", pa.int64()),
    ("fingerprint", pa.string()),
]

SAMPLES = pa.schema(
    [
        *_KEYS,
        ("utt_id", pa.string()),
        ("stratum", pa.string()),
        ("inclusion_probability", pa.float64()),
        ("rank", pa.int64()),
    ]
)
"""One row a drawn clip; `rank` counts from 1 within the stratum, in the order of the draw."""

STRATA = pa.schema(
    [
        *_KEYS,
        ("stratum", pa.string()),
        ("population_rows", pa.int64()),
        ("population_hours", pa.float64()),
        ("asked_rows", pa.float64()),
        ("drawn_rows", pa.int64()),
        ("drawn_hours", pa.float64()),
        ("inclusion_probability", pa.float64()),
    ]
)
"""One row a stratum of the whole manifest, those without a drawn clip included.

`asked_rows` is the share asked for before a short stratum gave what it had; hours are sums of
the durations the manifest states."""
