"""Forced aligners: a small protocol and its backends, found through entry points."""

from __future__ import annotations

from importlib.metadata import entry_points

from asrdq.alignment.protocol import (
    Aligner,
    AlignerOptions,
    Alignment,
    AlignmentStatus,
    Utterance,
    WordSpan,
)
from asrdq.errors import AsrdqError, ToolError, unknown

ENTRY_POINTS = "asrdq.aligners"

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


def parse_aligner(text: str, *, device: str = "auto", batch_size: int = 8) -> AlignerOptions:
    """Return what settings and `--aligner` say as options.

    >>> parse_aligner("ctc:models/he.nemo").address
    'models/he.nemo'
    >>> parse_aligner("pocketsphinx").address is None
    True
    """
    name, colon, address = text.partition(":")
    return AlignerOptions(name, address if colon else None, device, batch_size)


def build_aligner(wanted: str | AlignerOptions) -> Aligner:
    """Build the aligner that an entry point of the group `asrdq.aligners` names.

    Args:
        wanted: Its options, or its name and address as settings have them.

    Raises:
        UsageError: There is no such aligner (the nearest name is given), or it has no use for an
            option.
        ToolError: It cannot be built, or is none. Nothing is put in its place.
    """
    options = parse_aligner(wanted) if isinstance(wanted, str) else wanted
    found = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if options.name not in found:
        raise unknown("aligner", options.name, found)
    try:
        aligner = found[options.name].load()(options)
    except Exception as error:
        if isinstance(error, AsrdqError):
            raise
        reason = f"{type(error).__name__}: {error}"
        raise ToolError(f"the aligner '{options.name}' cannot be built: {reason}") from error
    if not isinstance(aligner, Aligner):
        raise ToolError(f"'{found[options.name].value}' is not an aligner")
    return aligner
