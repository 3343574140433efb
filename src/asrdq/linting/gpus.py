"""The machine that a job is meant for, as `2xA100-40` names it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from asrdq.errors import UsageError

_FORM = re.compile(r"(?:(?P<count>\d+)x)?(?P<name>[A-Za-z][A-Za-z0-9]*)-(?P<memory>\d+)(?:GB)?", re.I)


@dataclass(frozen=True, slots=True)
class Gpus:
    """GPUs of one kind.

    Attributes:
        count: How many, on all nodes together.
        name: Their kind.
        memory_gb: Memory of each.
    """

    count: int
    name: str
    memory_gb: int

    def __str__(self) -> str:
        return f"{self.count}x{self.name}-{self.memory_gb}"


def parse_gpus(text: str) -> Gpus:
    """Read `2xA100-40`: how many, of which kind, with how many GB each.

    >>> parse_gpus("L40S-48")
    Gpus(count=1, name='L40S', memory_gb=48)

    Raises:
        UsageError: It has another form.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None or int(match["count"] or 1) < 1:
        raise UsageError(f"no machine: {text}", hint="write 2xA100-40, or L40S-48 for a single one")
    return Gpus(int(match["count"] or 1), match["name"], int(match["memory"]))
