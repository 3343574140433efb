"""The table that a cut writes."""

from __future__ import annotations

import pyarrow as pa

TABLE = "cuts"

CUTS = pa.schema(
    [
        ("run_id", pa.string()),
        ("utt_id", pa.string()),
        ("piece", pa.int32()),
        ("cut_id", pa.string()),
        ("offset_s", pa.float64()),
        ("duration_s", pa.float64()),
        ("text", pa.string()),
        ("text_start", pa.int32()),
        ("text_end", pa.int32()),
        ("words", pa.int32()),
        ("coverage", pa.float64()),
        ("kept_back", pa.string()),
        ("detail", pa.string()),
    ]
)
"""One row a piece of a recording, `piece` counting from 0; a recording that was not cut has one
row with `piece` null. `kept_back` says why it is not in the new manifest, null where it is.
Characters `text_start` to `text_end` of the transcript are its own; without white space at either
end they are `text`."""
