"""Utterances that a round fixed, broke, or made better or worse."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import pyarrow as pa

from asrdq.rounds.pairing import Pairing, word_error_counts

CHANGED = pa.schema(
    [
        ("utt_id", pa.string()),
        ("kind", pa.string()),
        ("errors_before", pa.int64()),
        ("errors_after", pa.int64()),
        ("words", pa.int64()),
        ("reference", pa.string()),
        ("reference_before", pa.string()),
        ("before", pa.string()),
        ("after", pa.string()),
    ]
)
"""One row an utterance whose number of word errors changed; texts are normalised. The references
of both rounds differ only where the reference offers a choice of words."""


class Kind(enum.StrEnum):
    """What a round did to an utterance."""

    FIXED = "fixed"
    BROKEN = "broken"
    BETTER = "better"
    WORSE = "worse"


def changed_rows(pairing: Pairing) -> pa.Table:
    """Return the utterances whose number of word errors changed, schema `CHANGED`.

    `fixed` had errors and has none, `broken` had none and has some; `better` and `worse` have
    fewer and more. The greatest changes come first.
    """
    before, after = (
        word_error_counts(rows).astype(np.int64) for rows in (pairing.before, pairing.after)
    )
    kind = _kinds(before, after)
    moved = np.flatnonzero(before != after)
    order = moved[np.argsort(-np.abs(after - before)[moved], kind="stable")]
    chosen = pairing.after.take(order)
    columns = {
        "utt_id": chosen["utt_id"],
        "kind": pa.array(kind[order]),
        "errors_before": pa.array(before[order]),
        "errors_after": pa.array(after[order]),
        "words": chosen["words"].cast(pa.int64()),
        "reference": chosen["reference"],
        "reference_before": pairing.before["reference"].take(order),
        "before": pairing.before["hypothesis"].take(order),
        "after": chosen["hypothesis"],
    }
    return pa.table(columns).cast(CHANGED)


def _kinds(before: np.ndarray[Any, Any], after: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the kind of each utterance, `better` where nothing moved."""
    found = np.where(after < before, str(Kind.BETTER), str(Kind.WORSE))
    found = np.where((after == 0) & (before > 0), str(Kind.FIXED), found)
    return np.where((before == 0) & (after > 0), str(Kind.BROKEN), found).astype(object)


def examples(changed: pa.Table, each: int) -> pa.Table:
    """Return the first utterances of each kind, as many as `each`; fixed and broken ones first."""
    kinds = np.asarray(changed["kind"])
    parts = [np.flatnonzero(kinds == str(kind))[:each] for kind in Kind]
    return changed.take(np.concatenate(parts))
