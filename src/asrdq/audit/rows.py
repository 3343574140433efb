"""The rows of the audit's tables, built from trials and their judgement."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.audit.collection import SPAN
from asrdq.audit.folds import Judges
from asrdq.audit.judgement import Judgement
from asrdq.audit.tables import ALIGNMENTS, AUDITS, FAULT_TRIALS, WORD_SPANS
from asrdq.audit.trials import Flags, Trials


def audit_rows(trials: Trials, judgement: Judgement, run_id: str) -> pa.Table:
    """Return one row a sampled clip (schema `AUDITS`)."""
    rows = trials.untouched
    clips = [clip for clip, chosen in zip(trials.clips, rows, strict=True) if chosen]
    table = trials.table.filter(pa.array(rows))
    columns: dict[str, Any] = {
        **_keys(trials, rows, run_id),
        "inclusion_probability": [clip.inclusion_probability for clip in clips],
        "audio_path": [clip.audio_path for clip in clips],
        "audio_hash": [clip.audio_hash for clip in clips],
        "text": [clip.text for clip in clips],
        "speaker": [clip.speaker for clip in clips],
        **{name: table[name] for name in ("duration_s", "voiced_s")},
        "text_coverage": table["text_coverage"],
        "speech_coverage": table["speech_coverage"],
        "coverage": _nullable(trials.coverage[rows]),
        "confidence": _nullable(judgement.confidence[rows]),
        "chars_per_second": _nullable(trials.chars_per_second[rows]),
        "length_mismatch": trials.length_mismatch[rows],
        "low_quality": pa.array(judgement.low_quality[rows], mask=~judgement.judged[rows]),
        "reasons": _reasons(judgement, rows),
        "instrument": judgement.instrument[rows],
    }
    return _table(columns, AUDITS)


def alignment_rows(trials: Trials, judges: Judges, run_id: str) -> pa.Table:
    """Return one row a sampled clip: what the aligner answered (schema `ALIGNMENTS`)."""
    rows = trials.untouched
    table = trials.table.filter(pa.array(rows))
    clips = [clip for clip, chosen in zip(trials.clips, rows, strict=True) if chosen]
    columns = {
        **_keys(trials, rows, run_id),
        "cache_key": table["key"],
        "aligner": [judges.first.name] * len(clips),
        "aligner_version": [judges.version_of(clip) for clip in clips],
        "status": table["status"],
        "detail": table["detail"],
        "words": [len(clip.words) for clip in clips],
        "words_placed": pc.list_value_length(table["spans"]),
        "evidence": table["evidence"],
    }
    return _table(columns, ALIGNMENTS)


def span_rows(trials: Trials, run_id: str) -> pa.Table:
    """Return one row a placed word (schema `WORD_SPANS`)."""
    rows = trials.untouched
    spans = trials.table.filter(pa.array(rows))["spans"].combine_chunks()
    owner = pc.list_parent_indices(spans).to_numpy()
    flat = pc.list_flatten(spans)
    counts = pc.list_value_length(spans).to_numpy(zero_copy_only=False)
    first = np.concatenate([[0], np.cumsum(counts)])[:-1]
    keys = _keys(trials, rows, run_id)
    columns = {
        "run_id": [run_id] * len(owner),
        "utt_id": np.asarray(keys["utt_id"])[owner],
        "stratum": np.asarray(keys["stratum"])[owner],
        "index": (np.arange(len(owner)) - first[owner]).astype(np.int32),
        **{name: flat.field(name) for name in (field.name for field in SPAN)},
    }
    return _table(columns, WORD_SPANS)


def fault_rows(trials: Trials, judgement: Judgement, run_id: str) -> pa.Table:
    """Return one row an entry, untouched or planted (schema `FAULT_TRIALS`).

    Empty where nothing was planted.
    """
    if trials.untouched.all():
        return FAULT_TRIALS.empty_table()
    rows = np.ones(len(trials.clips), dtype=np.bool_)
    columns = {
        **_keys(trials, rows, run_id),
        "speaker": [clip.speaker for clip in trials.clips],
        "fault": trials.faults,
        "coverage": _nullable(trials.coverage),
        "confidence": _nullable(judgement.confidence),
        "found": judgement.low_quality,
        "reasons": _reasons(judgement, rows),
        "instrument": judgement.instrument,
    }
    return _table(columns, FAULT_TRIALS)


def _keys(trials: Trials, rows: Flags, run_id: str) -> dict[str, Any]:
    return {
        "run_id": [run_id] * int(rows.sum()),
        "utt_id": trials.utt_ids[rows],
        "stratum": trials.strata[rows],
    }


def _reasons(judgement: Judgement, rows: Flags) -> list[list[str]]:
    names = [reason.value for reason in judgement.rules]
    flags = np.array(list(judgement.rules.values()))[:, rows].T
    return [[name for name, flag in zip(names, row, strict=True) if flag] for row in flags]


def _nullable(values: Any) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _table(columns: dict[str, Any], schema: pa.Schema) -> pa.Table:
    arrays = []
    for field in schema:
        value = columns[field.name]
        if isinstance(value, np.ndarray) and value.dtype.kind == "U":
            value = value.tolist()
        array = value if isinstance(value, (pa.Array, pa.ChunkedArray)) else pa.array(value)
        arrays.append(array.cast(field.type))
    return pa.table(arrays, schema=schema)
