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


FACTS: Final = (
    Reason.MISSING_AUDIO,
    Reason.UNREADABLE_AUDIO,
    Reason.EMPTY_AUDIO,
    Reason.EMPTY_TEXT,
)
"""Reasons that stand whatever the instrument is worth."""

INSTRUMENT_OK: Final = "ok"
TOO_WEAK: Final = "too_weak"
NO_INSTRUMENT: Final = "too_few"

INSTRUMENT_FAULTS: Final = frozenset(
    {
        AlignmentStatus.OUT_OF_VOCABULARY,
        AlignmentStatus.TOO_LONG,
        AlignmentStatus.CRASHED,
        AlignmentStatus.FAILED,
    }
)
"""Endings of an alignment that say nothing about the clip."""
