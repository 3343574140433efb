"""What a split is asked for: its sides and their sizes, strata, groups and seed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asrdq.errors import UsageError
from asrdq.workspace.layout import check_manifest_name

TERM_AWARE = "term-aware"
PRESETS = (TERM_AWARE,)
_EXAMPLE = "write validation=10%, validation=500 (rows) or validation=20h"


@dataclass(frozen=True, slots=True)
class SideTarget:
    """The size of one side; of share, rows and hours exactly one is given.

    Attributes:
        name: Name of the side.
        share: Share of the rows of the manifest, above 0 and below 1.
        rows: Number of rows.
        hours: Hours of audio by the durations that the manifest states.
    """

    name: str
    share: float | None = None
    rows: int | None = None
    hours: float | None = None

    def __post_init__(self) -> None:
        check_manifest_name(self.name)
        sizes = [size for size in (self.share, self.rows, self.hours) if size is not None]
        if len(sizes) != 1:
            raise UsageError(f"say one size for the side '{self.name}'", hint=_EXAMPLE)
        if not 0 < sizes[0] < math.inf or (self.share or 0) >= 1:
            raise UsageError(f"the side '{self.name}' cannot have a size of {sizes[0]:g}")

    @classmethod
    def parse(cls, text: str) -> SideTarget:
        """Return the side that a text such as `validation=20h` asks for.

        >>> SideTarget.parse("test=10%").share
        0.1

        Raises:
            UsageError: It is not NAME=SIZE.
        """
        name, equals, size = text.partition("=")
        try:
            if size.endswith("%"):
                return cls(name, share=float(size[:-1]) / 100)
            if size.endswith("h"):
                return cls(name, hours=float(size[:-1]))
            return cls(name, rows=int(size))
        except ValueError as error:
            problem = "has no size" if not equals else f"has no size that can be read: '{size}'"
            raise UsageError(f"the side '{name}' {problem}", hint=_EXAMPLE) from error

    @property
    def by_hours(self) -> bool:
        """Whether hours are asked for, not rows."""
        return self.hours is not None

    def amount(self, rows: int) -> float:
        """Return the size in rows (or in seconds) for a manifest of so many rows."""
        if self.hours is not None:
            return self.hours * 3600
        return float(max(1, round(self.share * rows)) if self.share else self.rows or 0)


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """How a manifest is split.

    Attributes:
        sides: Sides with a size. What they leave is the first side, `rest`.
        rest: Name of the first side.
        strata: Columns or SQL expressions; each side gets the same mixture of their values.
        disjoint: Columns or SQL expressions; no value of any of them is on two sides.
        seed: Seed of the order in which groups are taken.
        at_least_rows: Least rows of each stratum on every sized side; a stratum of one row
            stays whole on the first side. Sizes are then met stratum by stratum.
        tolerance: Share of a size by which a side may miss it.
        closest: Whether sides that miss their size are written all the same.
        priority: Strata that must have at least `priority_rows` rows.
        priority_rows: Least rows of a stratum in `priority`.
    """

    sides: Sequence[SideTarget]
    rest: str = "train"
    strata: Sequence[str] = ()
    disjoint: Sequence[str] = ()
    seed: int = 42
    at_least_rows: int = 0
    tolerance: float = 0.05
    closest: bool = False
    priority: Sequence[str] = ()
    priority_rows: int = 5

    def __post_init__(self) -> None:
        if not self.sides:
            raise UsageError("a split needs a side with a size", hint=_EXAMPLE)
        check_manifest_name(self.rest)
        twice = {name for name in self.names if self.names.count(name) > 1}
        if twice:
            raise UsageError(f"two sides have the name {', '.join(sorted(twice))}")
        if sum(side.share or 0 for side in self.sides) >= 1:
            raise UsageError(f"the shares of the sides leave nothing for '{self.rest}'")
        if not 0 <= self.tolerance < 1:
            raise UsageError(f"the tolerance is a share below 1, not {self.tolerance:g}")

    @classmethod
    def term_aware(cls, *, seed: int = 42, priority: Sequence[str] = ()) -> SplitPlan:
        """Return the split for term-rich manifests.

        A fifth of the rows of each `entity_category`, at least one row, is the validation side;
        a category of one row stays in train, one in `priority` needs five rows.
        """
        return cls(
            sides=(SideTarget("validation", share=0.2),),
            strata=("entity_category",),
            seed=seed,
            at_least_rows=1,
            priority=priority,
        )

    @property
    def names(self) -> list[str]:
        """Names of all sides, the first one first."""
        return [self.rest, *(side.name for side in self.sides)]

    def parameters(self) -> dict[str, Any]:
        """Return the plan as JSON types, as a run keeps it."""
        return dataclasses.asdict(self)
