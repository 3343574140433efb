"""The tables of the gate: verdicts, and the ledgers of sign-offs and waivers."""

from __future__ import annotations

import pyarrow as pa

from asrdq.gates.ledgers.ledger import Ledger

OUTCOMES = pa.schema(
    [(name, pa.string()) for name in ("rule", "state", "value", "limit", "evidence", "found")]
)
"""One row a rule of a verdict."""

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
        ("waived", pa.list_(pa.string())),
        ("evidence", pa.list_(pa.string())),
        ("rules", pa.list_(pa.struct(list(OUTCOMES)))),
    ]
)
"""A verdict answers for the content with its fingerprint and for no other."""

SIGNOFFS = Ledger(
    "signoffs",
    "signoff",
    pa.schema(
        [
            ("run_id", pa.string()),
            ("recorded", pa.timestamp("us", "UTC")),
            ("manifest", pa.string()),
            ("manifest_version", pa.int64()),
            ("fingerprint", pa.string()),
            ("verdict", pa.string()),
            ("signed_by", pa.string()),
            ("note", pa.string()),
            ("reason", pa.string()),
            ("public_key", pa.string()),
        ]
    ),
)
"""One row a verdict that a person accepted; `body` says what it is bound to."""

WAIVERS = Ledger(
    "waivers",
    "waive",
    pa.schema(
        [
            ("run_id", pa.string()),
            ("recorded", pa.timestamp("us", "UTC")),
            ("rule", pa.string()),
            ("manifest", pa.string()),
            ("owner", pa.string()),
            ("until", pa.date32()),
            ("reason", pa.string()),
        ]
    ),
)
"""One row a waiver; of those of one rule and manifest the last one holds."""
