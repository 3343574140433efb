"""Stand-ins for a conversion that fail as a decoder or a disk may: importable in workers."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from asrdq.exporting import Conversion, convert


def crash_on_b(clip: Conversion) -> dict[str, Any]:
    """Read memory that is not there when the file is called b.wav."""
    if Path(clip.source).name == "b.wav":
        ctypes.string_at(0)
    return convert(clip)


def full_disk_on_b(clip: Conversion) -> dict[str, Any]:
    """Say that b.wav cannot be written."""
    if Path(clip.source).name == "b.wav":
        return {"status": "not_written", "detail": "No space left on device"}
    return convert(clip)
