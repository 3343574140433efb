"""The tables of scoring, column by column; every row carries the run that made it."""

from __future__ import annotations

import pyarrow as pa

from asrdq.scoring.rates import COUNTERS

SCORES, WORD_EDITS, TERM_SCORES, SPAN_SCORES, SCORE_GROUPS = (
    "scores",
    "word_edits",
    "term_scores",
    "span_scores",
    "score_groups",
)

KEYS = [(name, pa.string()) for name in ("run_id", "hyps", "manifest")]
NORMALISER = [
    (name, pa.string()) for name in ("normaliser", "normaliser_version", "normaliser_hash")
]

UTTERANCE_COUNTS = (
    *("words", "hits", "substitutions", "deletions", "insertions"),
    *("characters", "character_edits", "terms", "missed_terms"),
    *("keyword_hits", "keyword_misses", "keyword_false"),
)

UTTERANCES = pa.schema(
    [
        ("utt_id", pa.string()),
        *((name, pa.int32()) for name in UTTERANCE_COUNTS),
        ("reference", pa.string()),
        ("hypothesis", pa.string()),
        ("weight", pa.float64()),
        ("block", pa.string()),
    ]
)
"""What one utterance scores; texts are normalised, `block` is its speaker where that is known."""

EDITS = pa.schema(
    [
        ("utt_id", pa.string()),
        ("kind", pa.string()),
        ("reference", pa.string()),
        ("hypothesis", pa.string()),
        ("position", pa.int32()),
    ]
)
"""One row a wrong word; `position` counts the words of the reference from 0."""

TERMS = pa.schema(
    [
        ("utt_id", pa.string()),
        ("term", pa.string()),
        ("missed", pa.bool_()),
        ("fault", pa.string()),
    ]
)
"""One row a term that an utterance is asked for; `missed` is null where a fault is named."""

SPANS = pa.schema(
    [
        ("utt_id", pa.string()),
        ("label", pa.string()),
        ("text", pa.string()),
        *((name, pa.int32()) for name in ("words", "substitutions", "deletions", "insertions")),
        ("fault", pa.string()),
    ]
)
"""One row a tagged span of a reference; all counts are null where a fault is named."""

GROUPS = pa.schema(
    [
        *KEYS,
        *NORMALISER,
        ("grouped_by", pa.string()),
        ("member", pa.string()),
        ("metric", pa.string()),
        ("rate", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("units", pa.float64()),
        ("method", pa.string()),
        ("blocks", pa.int64()),
        ("blocked_by", pa.string()),
        *((name, pa.float64()) for name in COUNTERS),
    ]
)
"""One row a group and metric. `grouped_by` is empty for all utterances together; `units` is what
the rate is a share of; the interval rests on so many `blocks` of what `blocked_by` names."""
