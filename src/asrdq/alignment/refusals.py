"""What every aligner answers to clips that cannot be aligned at all."""

from __future__ import annotations

from typing import Final

from asrdq.alignment.protocol import Alignment, AlignmentStatus, Utterance

SHORTEST_S: Final = 0.1
"""No word is said in less, and models have no frame for much less."""


def without_aligning(utterance: Utterance, sample_rate: int, longest_s: float) -> Alignment | None:
    """Return the answer for a clip that is too long, too short, or has no word; else None."""
    seconds = len(utterance.samples) / sample_rate
    if seconds > longest_s:
        detail = f"{seconds:.1f} s, over {longest_s:g} s"
        return Alignment(AlignmentStatus.TOO_LONG, detail=detail)
    if not utterance.words:
        return Alignment(AlignmentStatus.NO_ALIGNMENT, detail="no word to align")
    if seconds < SHORTEST_S:
        detail = f"{seconds:.3f} s of audio, under {SHORTEST_S:g} s"
        return Alignment(AlignmentStatus.NO_ALIGNMENT, detail=detail)
    return None
