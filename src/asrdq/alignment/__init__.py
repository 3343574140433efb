"""Forced aligners: a small protocol and its backends, found through entry points."""

from __future__ import annotations

from importlib.metadata import entry_points

from asrdq.alignment.protocol import Aligner, Alignment, AlignmentStatus, WordSpan
from asrdq.errors import AsrdqError, ToolError, unknown

ENTRY_POINTS = "asrdq.aligners"

__all__ = ["Aligner", "Alignment", "AlignmentStatus", "WordSpan", "build_aligner"]


def build_aligner(name: str) -> Aligner:
    """Build the aligner that an entry point of the group `asrdq.aligners` names.

    Raises:
        UsageError: There is no such aligner; the nearest name is given.
        ToolError: It cannot be built, or is none. Nothing is put in its place.
    """
    found = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name not in found:
        raise unknown("aligner", name, found)
    try:
        aligner = found[name].load()()
    except Exception as error:
        if isinstance(error, AsrdqError):
            raise
        reason = f"{type(error).__name__}: {error}"
        raise ToolError(f"the aligner '{name}' cannot be built: {reason}") from error
    if not isinstance(aligner, Aligner):
        raise ToolError(f"'{found[name].value}' is not an aligner")
    return aligner
