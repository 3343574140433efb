"""The judgement of one clip: low quality or not, and every reason for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from asrdq.alignment.protocol import AlignmentStatus


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


INSTRUMENT_OK: Final = "ok"
TOO_WEAK: Final = "too_weak"
INSTRUMENT_FAULTS: Final = frozenset(
    {
        AlignmentStatus.OUT_OF_VOCABULARY,
        AlignmentStatus.TOO_LONG,
        AlignmentStatus.CRASHED,
        AlignmentStatus.FAILED,
    }
)
"""Endings of an alignment that say nothing about the clip."""
