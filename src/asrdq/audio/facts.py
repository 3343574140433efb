"""The table `audio_facts`: what was measured about every clip of a manifest."""

from __future__ import annotations

import pyarrow as pa

PROBE_VERSION = 2
"""Raised when a measure changes, so that no cached value of an older one is used."""

MEASURED = pa.schema(
    [
        ("status", pa.string()),
        ("detail", pa.string()),
        ("duration_s", pa.float64()),
        ("sample_rate", pa.int32()),
        ("channels", pa.int32()),
        ("codec", pa.string()),
        ("sample_format", pa.string()),
        ("size_bytes", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("level_dbfs", pa.float64()),
        ("peak_dbfs", pa.float64()),
        ("clipping_share", pa.float64()),
        ("dc_offset", pa.float64()),
        ("voiced_s", pa.float64()),
        ("silence_s", pa.float64()),
        ("snr_db", pa.float64()),
        ("bandwidth_hz", pa.float64()),
        ("audio_hash", pa.string()),
    ]
)
"""What probing one clip gives, whatever manifest it stands in.

`status` is `ok`, a reason of `AudioReason`, or `probe_crashed`, `probe_timed_out`,
`probe_raised`. A clip that is cut off or damaged has the facts of what could be decoded.
`silence_s` is the rest of `duration_s` without `voiced_s`."""

AUDIO_FACTS = pa.schema(
    [
        ("run_id", pa.string()),
        ("utt_id", pa.string()),
        ("audio_path", pa.string()),
        ("status", pa.string()),
        ("detail", pa.string()),
        ("duration_s", pa.float64()),
        ("manifest_duration_s", pa.float64()),
        ("duration_difference_s", pa.float64()),
        *[field for field in MEASURED if field.name not in ("status", "detail", "duration_s")],
        ("duplicate_of", pa.string()),
    ]
)
"""One row a clip of the manifest.

`duration_difference_s` is the measured minus the stated duration. `duplicate_of` is the first
`utt_id`, in their order, whose decoded samples are the same; null for that one itself."""
