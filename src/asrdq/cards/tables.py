"""The table `cards`: what was said of which model, and where it was published."""

from __future__ import annotations

import pyarrow as pa

TABLE = "cards"

CARDS = pa.schema(
    [
        ("run_id", pa.string()),
        ("written", pa.timestamp("us", "UTC")),
        ("run", pa.string()),
        ("bundle_id", pa.string()),
        ("model_hash", pa.string()),
        ("scorings", pa.list_(pa.string())),
        ("comparisons", pa.list_(pa.string())),
        ("objections", pa.list_(pa.string())),
        ("overridden_by", pa.string()),
        ("override", pa.string()),
        ("pushed_to", pa.string()),
        ("public", pa.bool_()),
        ("commit", pa.string()),
        ("card_sha256", pa.string()),
        ("asrdq_version", pa.string()),
    ]
)
"""One row a card. `scorings` and `comparisons` are the runs its figures are from; `objections` is
what stood against publishing; `pushed_to` is null where nothing left the machine."""
