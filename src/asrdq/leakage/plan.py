"""What is compared, and how much of it may be shared."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asrdq.errors import UsageError, unknown


class Kind(enum.StrEnum):
    """Ways in which two rows hold the same."""

    AUDIO = "audio"
    OVERLAP = "overlap"
    TRANSCRIPT = "transcript"
    TEXT = "text"
    NEAR_TEXT = "near_text"
    SPEAKER = "speaker"
    TERM = "term"


BY_FILE = (Kind.AUDIO, Kind.OVERLAP, Kind.TRANSCRIPT)
BY_TEXT = (Kind.TEXT, Kind.NEAR_TEXT)
STRICT = (*BY_FILE, Kind.TEXT)
"""Kinds of which nothing may be shared unless a plan says otherwise."""
LEAST_THRESHOLD = 0.6
"""Nearness below which pairs of texts could be missed."""


@dataclass(frozen=True, slots=True)
class LeakPlan:
    """What to compare, and what is too much.

    Attributes:
        only: Kinds to compare; all by default. Each column of `same` is a kind too.
        without: Kinds to leave out.
        same: Further columns whose values count as shared, such as a session.
        max_share: Kind to the largest share of the evaluation rows that may be touched; strict
            kinds have 0 unless named, the others have no limit.
        near: Least nearness of near texts: 1 − edited words ÷ words of the longer text.
        min_words: Shorter texts are not compared.
    """

    only: Sequence[str] = ()
    without: Sequence[str] = ()
    same: Sequence[str] = ()
    max_share: Mapping[str, float] = field(default_factory=dict)
    near: float = 0.8
    min_words: int = 1

    def __post_init__(self) -> None:
        known = [*Kind, *self.same]
        for name in (*self.only, *self.without, *self.max_share):
            if name not in known:
                raise unknown("kind", name, known)
        if not LEAST_THRESHOLD <= self.near < 1:
            raise UsageError(
                f"the nearness is from {LEAST_THRESHOLD:g} to below 1, not {self.near:g}"
            )
        if any(not 0 <= share <= 1 for share in self.max_share.values()):
            raise UsageError("a largest share is from 0 to 1")

    def kinds(self) -> list[str]:
        """Return the kinds to compare, in order."""
        every = dict.fromkeys([*map(str, Kind), *self.same])
        asked = [name for name in every if name in self.only] if self.only else list(every)
        return [name for name in asked if name not in self.without]

    def value_kinds(self) -> list[str]:
        """Return the kinds that compare the values of a column."""
        return [kind for kind in self.kinds() if kind not in (*BY_FILE, *BY_TEXT)]

    def without_values(self) -> LeakPlan:
        """Return the plan without the kinds that compare the values of a column."""
        return dataclasses.replace(self, without=[*self.without, *self.value_kinds()])

    def limit(self, kind: str) -> float | None:
        """Return the largest share of a kind, None where there is no limit."""
        return self.max_share.get(kind, 0.0 if kind in STRICT else None)

    def parameters(self) -> dict[str, Any]:
        """Return the plan as JSON types, as a run keeps it."""
        return dataclasses.asdict(self)
