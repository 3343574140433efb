"""The tables of checks, column by column; every row carries the run that made it."""

from __future__ import annotations

import pyarrow as pa

CHECKS, CHECK_RESULTS, TEXT_FINDINGS = "checks", "check_results", "text_findings"

_KEYS = [(name, pa.string()) for name in ("run_id", "manifest", "suite")]

CHECKS_SCHEMA = pa.schema(
    [
        *_KEYS,
        ("suite_hash", pa.string()),
        ("position", pa.int32()),
        ("expectation", pa.string()),
        ("column", pa.string()),
        ("arguments", pa.string()),
        ("severity", pa.string()),
        ("success", pa.bool_()),
        ("error", pa.string()),
        ("rows", pa.int64()),
        ("share", pa.float64()),
        ("hours", pa.float64()),
        ("observed", pa.string()),
        ("query", pa.string()),
    ]
)
"""One row an expectation of a suite, `position` counting from 1 as in its file.

`success` is false and `error` says why where it could not be judged. `rows`, `share` (of the rows
of the manifest) and `hours` are of the rows that fail, also where `mostly` lets them; they are null
for expectations about a whole column, which have `observed`. `observed` is also how many rows could
not be told, by expectations for which that is no failure. `query` is the SQL that gives all of
them; it is null where Great Expectations has none that gives as many rows as it counted.
`arguments` is JSON."""

CHECK_RESULTS_SCHEMA = pa.schema(
    [
        *_KEYS,
        ("position", pa.int32()),
        ("utt_id", pa.string()),
        ("expectation", pa.string()),
        ("value", pa.string()),
        ("severity", pa.string()),
    ]
)
"""One row an expectation and utterance that fails it, as many of each as the check was told."""
