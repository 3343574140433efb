"""The table `hypotheses`: what each row is."""

from __future__ import annotations

import pyarrow as pa

TABLE = "hypotheses"

HYPOTHESES = pa.schema(
    [
        ("hyps", pa.string()),
        ("manifest", pa.string()),
        ("utt_id", pa.string()),
        ("hypothesis", pa.string()),
        ("confidence", pa.float64()),
        ("transcriber", pa.string()),
        ("transcriber_version", pa.string()),
        ("run_id", pa.string()),
    ]
)
"""One row a clip and set. `hyps` is the name of the set, such as r1, and `manifest` the name of the
manifest without a version; `hypothesis` is the text as it came, never null, empty where the
recogniser heard nothing. `transcriber` is null in sets that were read from a file."""
