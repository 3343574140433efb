"""What a set of hypotheses may be called."""

from __future__ import annotations

import re
from typing import Final

from asrdq.errors import UsageError

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HINT: Final = "a name is letters, digits, _, - and ., begins with a letter or digit, 64 at most"


def is_set_name(name: str) -> bool:
    """Return whether a set may be called so."""
    return _NAME.fullmatch(name) is not None


def check_set_name(name: str) -> str:
    """Return the name if a set may have it.

    Raises:
        UsageError: It has other characters.
    """
    if not is_set_name(name):
        raise UsageError(f"{name!r} cannot be the name of a set of hypotheses", hint=_HINT)
    return name


def set_name_of(text: str) -> str:
    """Return the nearest name that a set may have.

    >>> set_name_of("Qwen/Qwen3 ASR"), set_name_of("…")
    ('Qwen-Qwen3-ASR', 'hypotheses')
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-_.")[:64] or "hypotheses"
