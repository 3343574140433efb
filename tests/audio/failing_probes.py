"""Stand-ins for the measuring of a clip that fail as a decoder may: importable in workers."""

from __future__ import annotations

import ctypes
import threading
from typing import Any

from asrdq.audio import Clip


def crash(clip: Clip) -> dict[str, Any]:
    """Read memory that is not there, as a decoder does on a damaged file."""
    ctypes.string_at(0)
    return {}


def hang(clip: Clip) -> dict[str, Any]:
    """Never come back."""
    threading.Event().wait()
    return {}


def fail(clip: Clip) -> dict[str, Any]:
    """Raise what nobody expected."""
    raise ValueError("an unexpected shape")
