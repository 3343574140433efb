"""Seconds as decimal text."""

from __future__ import annotations

import math

DIGITS = 9
"""Decimals that are kept: enough that a begin and an end give back the duration."""


def read_seconds(word: str) -> float | None:
    """Return the number a word stands for, None where it is none.

    >>> read_seconds("1.50"), read_seconds("nan"), read_seconds("x")
    (1.5, None, None)
    """
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def written_seconds(value: float) -> str:
    """Return a number without needless zeros.

    >>> written_seconds(1.5), written_seconds(-1.0)
    ('1.5', '-1')
    """
    return f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")
