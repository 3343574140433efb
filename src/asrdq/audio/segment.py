"""Where the clip of a manifest row lies in its file."""

from __future__ import annotations


def clip_segment(offset_s: float | None, duration_s: float | None) -> tuple[float, float | None]:
    """Return where a clip begins and how long it is, None where it goes on to the end.

    A row is a segment only where it states an offset: without one its duration only says how
    long the whole file should be.

    >>> clip_segment(None, 3.0), clip_segment(0.0, 3.0)
    ((0.0, None), (0.0, 3.0))
    """
    return (0.0, None) if offset_s is None else (offset_s, duration_s)
