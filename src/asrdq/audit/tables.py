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
        ("fold", pa.string()),
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
"""One row a stratum, out of fold one for each `fold` in it (null where one aligner is for all).
`verdict` is `ok`, `too_weak`, `too_few` (clips to calibrate on), `shipped`
(not calibrated on this data) or `stored` (calibrated by `asrdq calibrate`, no fault planted here);
`auc_gross` is the least separation of a gross fault, `strained` the share of right clips that the
aligner aligns with extraordinary effort or not at all; `fitted_on` says what the threshold was
fitted on; `model` is the fitted model as JSON."""

HYPOTHESIS_SIGNALS = pa.schema(
    [
        *_KEYS,
        ("hyps", pa.string()),
        ("hypothesis", pa.string()),
        ("cer", pa.float64()),
        ("edge_cer", pa.float64()),
        ("length_difference", pa.float64()),
    ]
)
"""One row a sampled clip of an audit with hypotheses: how far what a recogniser heard differs from
the transcript. Null where the set `hyps` has no hypothesis of the clip."""

AGREEMENTS = pa.schema(
    [
        *_KEYS,
        ("words_both", pa.int64()),
        ("median_ms", pa.float64()),
        ("p90_ms", pa.float64()),
        ("low_quality", pa.bool_()),
        ("second_low_quality", pa.bool_()),
        ("agree", pa.bool_()),
        ("reasons", pa.list_(pa.string())),
        ("second_reasons", pa.list_(pa.string())),
        ("instrument", pa.string()),
        ("second_instrument", pa.string()),
    ]
)
"""One row a sampled clip of an audit with a second aligner. `median_ms` and `p90_ms` are over the
starts and ends of the words that both placed; `agree` is null where one of them judged nothing."""

INSTRUMENT_AGREEMENT = pa.schema(
    [
        ("run_id", pa.string()),
        ("stratum", pa.string()),
        ("aligner", pa.string()),
        ("second_aligner", pa.string()),
        ("clips", pa.int64()),
        ("words_both", pa.int64()),
        ("median_ms", pa.float64()),
        ("p90_ms", pa.float64()),
        ("both_low", pa.int64()),
        ("first_only", pa.int64()),
        ("second_only", pa.int64()),
        ("neither_low", pa.int64()),
        ("not_judged", pa.int64()),
        ("kappa", pa.float64()),
    ]
)
"""One row a stratum, and one for all together (stratum null): the verdicts of two aligners as a
table of four, clips that one of them did not judge beside it, Cohen's kappa."""

CALIBRATION_GROUPS = pa.schema(
    [
        ("run_id", pa.string()),
        ("aligner", pa.string()),
        ("aligner_version", pa.string()),
        ("language", pa.string()),
        ("value", pa.string()),
        ("stored", pa.bool_()),
        ("verdict", pa.string()),
        ("fitted_on", pa.string()),
        ("threshold", pa.float64()),
        ("false_alarm_budget", pa.float64()),
        ("auc_gross", pa.float64()),
        ("strained", pa.float64()),
        ("clips_fitted", pa.int64()),
        ("clips_checked", pa.int64()),
        ("speakers_fitted", pa.int64()),
        ("speakers_checked", pa.int64()),
    ]
)
"""One row a language and value of the column that divides it, of a run of `asrdq calibrate`:
whether its threshold went into `asrdq.yaml`. `verdict`, `auc_gross` and `strained` are of the half
that it was checked on, as in `calibrations`."""

_GROUP = [("run_id", pa.string()), ("language", pa.string()), ("value", pa.string())]

CALIBRATION_CHECKS = pa.schema(
    [*_GROUP, *[field for field in DETECTIONS if field.name not in ("run_id", "stratum")]]
)
"""One row a group and fault: what was found in the half that was not fitted on, as in
`detections`."""

CALIBRATION_COSTS = pa.schema(
    [
        *_GROUP,
        ("cost", pa.string()),
        ("checked_h", pa.float64()),
        ("share", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("of_h", pa.float64()),
        ("expected_h", pa.float64()),
        ("low_h", pa.float64()),
        ("high_h", pa.float64()),
    ]
)
"""One row a group and cost, `good hours lost` or `bad hours kept`: the share of `checked_h` hours
of the half that was not fitted on, and what it makes of the `of_h` hours of the manifest that are
estimated to be good, or bad."""

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
