"""The tables a transcription writes beside `hypotheses`: what each row is."""

from __future__ import annotations

import pyarrow as pa

_KEYS = [("hyps", pa.string()), ("manifest", pa.string()), ("utt_id", pa.string())]

WORDS_TABLE, FAILURES_TABLE = "hypothesis_words", "transcription_failures"

HYPOTHESIS_WORDS = pa.schema(
    [
        *_KEYS,
        ("index", pa.int32()),
        ("word", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("confidence", pa.float64()),
        ("run_id", pa.string()),
    ]
)
"""One row a recognised word, of transcribers that know its times; seconds from the start of the
clip."""

FAILURES = pa.schema(
    [*_KEYS, ("reason", pa.string()), ("detail", pa.string()), ("run_id", pa.string())]
)
"""One row a clip without a hypothesis, and why."""
