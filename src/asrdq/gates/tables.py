"""The table `decisions`: one row a verdict."""

from __future__ import annotations

import pyarrow as pa

DECISIONS = pa.schema(
    [
        ("run_id", pa.string()),
        ("decided", pa.timestamp("us", "UTC")),
        ("manifest", pa.string()),
        ("manifest_version", pa.int64()),
        ("fingerprint", pa.string()),
        ("verdict", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("risk_strata", pa.list_(pa.string())),
        ("deciding_rate", pa.string()),
        ("rate", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("sample_rate", pa.float64()),
        ("population_rate", pa.float64()),
        ("corrected_rate", pa.float64()),
        ("audit_run_id", pa.string()),
        ("policy", pa.string()),
        ("policy_hash", pa.string()),
        ("asrdq_version", pa.string()),
        ("report", pa.string()),
    ]
)
"""A verdict answers for the content with its fingerprint and for no other."""
