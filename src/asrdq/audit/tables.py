"""The tables an audit writes: what each row is, column by column.

Every row carries the `run_id` of its audit; `runs` says which manifest version, fingerprint and
parameters that run had.
"""

from __future__ import annotations

import pyarrow as pa

_KEYS = [("run_id", pa.string()), ("utt_id", pa.string()), ("stratum", pa.string())]

AUDITS = pa.schema(
    [
        *_KEYS,
        ("inclusion_probability", pa.float64()),
        ("audio_path", pa.string()),
        ("audio_hash", pa.string()),
        ("text", pa.string()),
        ("speaker", pa.string()),
        ("duration_s", pa.float64()),
        ("voiced_s", pa.float64()),
        ("text_coverage", pa.float64()),
        ("speech_coverage", pa.float64()),
        ("coverage", pa.float64()),
        ("confidence", pa.float64()),
        ("chars_per_second", pa.float64()),
        ("length_mismatch", pa.bool_()),
        ("low_quality", pa.bool_()),
        ("reasons", pa.list_(pa.string())),
        ("instrument", pa.string()),
    ]
)
"""One row a sampled clip. `low_quality` is null where `instrument` is not `ok`."""

ALIGNMENTS = pa.schema(
    [
        *_KEYS,
        ("cache_key", pa.string()),
        ("aligner", pa.string()),
        ("aligner_version", pa.string()),
        ("status", pa.string()),
        ("detail", pa.string()),
        ("words", pa.int32()),
        ("words_placed", pa.int32()),
        ("evidence", pa.map_(pa.string(), pa.float64())),
    ]
)
"""One row a sampled clip: what the aligner answered, before any judgement."""

WORD_SPANS = pa.schema(
    [
        *_KEYS,
        ("index", pa.int32()),
        ("word", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("score", pa.float64()),
        ("lowest", pa.float64()),
        ("kept", pa.float64()),
        ("plausible", pa.bool_()),
    ]
)
"""One row a placed word; seconds from the start of the clip, score per frame (log, ≤ 0) and that of
its worst frame, the share of its characters that the aligner could look for."""

FAULT_TRIALS = pa.schema(
    [
        *_KEYS,
        ("speaker", pa.string()),
        ("fault", pa.string()),
        ("coverage", pa.float64()),
        ("confidence", pa.float64()),
        ("found", pa.bool_()),
        ("reasons", pa.list_(pa.string())),
        ("instrument", pa.string()),
    ]
)
"""One row a planted fault: the copy of a sampled clip and whether the audit found it.

`fault` is `untouched` for the clip itself; `found` is then a false alarm (or a real fault)."""

DETECTIONS = pa.schema(
    [
        ("run_id", pa.string()),
        ("stratum", pa.string()),
        ("fault", pa.string()),
        ("gross", pa.bool_()),
        ("clips", pa.int64()),
        ("found", pa.int64()),
        ("rate", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("auc", pa.float64()),
    ]
)
"""One row a stratum and fault, and one for all strata together (stratum null).

`rate` is the recall of the fault; for the fault `untouched` it is the estimated false-alarm
rate, after allowing for the real faults among untouched clips. `low` and `high` are a 95 %
interval. `auc` compares the fault's scores with those of untouched clips."""

CALIBRATIONS = pa.schema(
    [
        ("run_id", pa.string()),
        ("stratum", pa.string()),
        ("verdict", pa.string()),
        ("clips", pa.int64()),
        ("planted", pa.int64()),
        ("speakers", pa.int64()),
        ("auc_gross", pa.float64()),
        ("strained", pa.float64()),
        ("threshold", pa.float64()),
        ("false_alarm_budget", pa.float64()),
        ("fitted_on", pa.string()),
        ("model", pa.string()),
    ]
)
"""One row a stratum. `verdict` is `ok`, `too_weak`, `too_few` (clips to calibrate on) or `shipped`
(not calibrated on this data); `auc_gross` is the least separation of a gross fault, `strained` the
share of right clips that the aligner aligns with extraordinary effort or not at all; `fitted_on`
says which strata the threshold was fitted on; `model` is the fitted model as JSON."""

AUDIT_FOLDS = pa.schema(
    [
        ("run_id", pa.string()),
        ("fold", pa.string()),
        ("speakers", pa.list_(pa.string())),
        ("clips", pa.int64()),
        ("aligner", pa.string()),
        ("aligner_version", pa.string()),
        ("model", pa.string()),
        ("proof", pa.string()),
        ("detail", pa.string()),
        ("run_dir", pa.string()),
        ("bundle_id", pa.string()),
        ("train", pa.string()),
        ("validation", pa.string()),
        ("base", pa.string()),
        ("base_proof", pa.string()),
    ]
)
"""One row a fold of an audit out of fold: whom its model has not heard, and how that is known.

`proof` is `proven` (by the manifests that it was trained and chosen on) or `accepted` (a person
said so; `detail` says what could not be proven). `base_proof` is the same of the model that its
training began with: `proven`, or `unknown`. `alignments.aligner_version` says which model judged
which clip."""
