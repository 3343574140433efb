"""Codes that audits carry: why a clip is of low quality, why it could not be judged."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from asrdq.alignment import AlignmentStatus


class Reason(StrEnum):
    """Why a clip is of low quality; all that apply are given."""

    MISSING_AUDIO = "missing_audio"
    UNREADABLE_AUDIO = "unreadable_audio"
    EMPTY_AUDIO = "empty_audio"
    SILENT_AUDIO = "silent_audio"
    EMPTY_TEXT = "empty_text"
    NO_ALIGNMENT = "no_alignment"
    LOW_TEXT_COVERAGE = "low_text_coverage"
    LOW_SPEECH_COVERAGE = "low_speech_coverage"
    LOW_CONFIDENCE = "low_confidence"
    LENGTH_MISMATCH = "length_mismatch"
    DURATION_DIFFERS = "duration_differs"
    HYPOTHESIS_DIFFERS = "hypothesis_differs"
    HYPOTHESIS_EDGE_DIFFERS = "hypothesis_edge_differs"
    HYPOTHESIS_LENGTH_DIFFERS = "hypothesis_length_differs"


UNUSABLE: Final = (
    Reason.MISSING_AUDIO,
    Reason.UNREADABLE_AUDIO,
    Reason.EMPTY_AUDIO,
    Reason.EMPTY_TEXT,
)
"""Without audio or text there is nothing to align, nothing to plant a fault on."""

FACTS: Final = (*UNUSABLE, Reason.DURATION_DIFFERS)
"""Reasons that stand whatever the instrument is worth."""


class InstrumentStatus(StrEnum):
    """What the instrument is worth in a stratum, or for a clip."""

    OK = "ok"
    """Proven on faults planted on this data; the clip was judged."""
    SHIPPED = "shipped"
    """The thresholds come from elsewhere: its clips are judged and nothing is proven."""
    STORED = "stored"
    """The thresholds are those of `asrdq calibrate`, and nothing was planted on this data."""
    TOO_WEAK = "too_weak"
    """It hardly tells planted faults from right clips, or hardly aligns those."""
    TOO_FEW = "too_few"
    """There are too few clips to calibrate on."""


INSTRUMENT_FAULTS: Final = frozenset(
    {
        AlignmentStatus.OUT_OF_VOCABULARY,
        AlignmentStatus.TOO_LONG,
        AlignmentStatus.NOT_IMPORTED,
        AlignmentStatus.CRASHED,
        AlignmentStatus.FAILED,
    }
)
"""Endings of an alignment that say nothing about the clip."""
