"""Transcribers: a small protocol and its backends, found through entry points; and their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.transcription.backends import build_transcriber, parse_transcriber
    from asrdq.transcription.protocol import (
        TimedWord,
        Transcriber,
        TranscriberOptions,
        Transcription,
        TranscriptionStatus,
    )
    from asrdq.transcription.result import TranscriptionResult
    from asrdq.transcription.run import TranscriptionPlan, transcribe

__all__ = [
    "TimedWord",
    "Transcriber",
    "TranscriberOptions",
    "Transcription",
    "TranscriptionPlan",
    "TranscriptionResult",
    "TranscriptionStatus",
    "build_transcriber",
    "parse_transcriber",
    "transcribe",
]

__getattr__ = lazy_names(
    __name__,
    {
        "backends": ["build_transcriber", "parse_transcriber"],
        "protocol": [
            *("TimedWord", "Transcriber", "TranscriberOptions"),
            *("Transcription", "TranscriptionStatus"),
        ],
        "result": ["TranscriptionResult"],
        "run": ["TranscriptionPlan", "transcribe"],
    },
)
