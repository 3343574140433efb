"""Forced aligners: a small protocol and its backends, found through entry points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.alignment.backends import build_aligner, parse_aligner
    from asrdq.alignment.protocol import (
        Aligner,
        AlignerOptions,
        Alignment,
        AlignmentStatus,
        Utterance,
        WordSpan,
    )

__all__ = [
    "Aligner",
    "AlignerOptions",
    "Alignment",
    "AlignmentStatus",
    "Utterance",
    "WordSpan",
    "build_aligner",
    "parse_aligner",
]

__getattr__ = lazy_names(
    __name__,
    {
        "backends": ["build_aligner", "parse_aligner"],
        "protocol": [
            *("Aligner", "AlignerOptions", "Alignment", "AlignmentStatus"),
            *("Utterance", "WordSpan"),
        ],
    },
)
