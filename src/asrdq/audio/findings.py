"""What makes a clip of `audio_facts` stand out: the conditions that every count of them uses.

They are SQL, which DuckDB and Polars read alike, so that what `asrdq probe` says, what a report
shows and what a user asks with `asrdq sql` are the same clips.
"""

from __future__ import annotations

from typing import Final

NOTABLE_DIFFERENCE_S: Final = 0.1
"""Durations that differ by more than this are counted; less is rounding."""

NARROW_SHARE: Final = 0.8
"""A bandwidth below this share of half the sample rate, at most 8 kHz, is called narrow."""

SPEECH_BAND_HZ: Final = 8000
"""Speech models hear nothing above it, so nothing is missed there."""

NOTABLE_CLIPPING: Final = 0.001
"""A clip with more than this share of its samples clipped is called clipped."""

OFF_DURATION: Final = f"abs(duration_difference_s) > {NOTABLE_DIFFERENCE_S}"
NARROW: Final = f"bandwidth_hz < {NARROW_SHARE} * least(sample_rate / 2.0, {SPEECH_BAND_HZ})"
CLIPPED: Final = f"clipping_share > {NOTABLE_CLIPPING}"
DUPLICATE: Final = "duplicate_of IS NOT NULL"
