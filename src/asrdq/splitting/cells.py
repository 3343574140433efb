"""Components by stratum: the pieces that an assignment moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.splitting.rows import SplitRows

NEW = -1
"""Side of a row or component that no former split placed."""
_UNKNOWN = np.int8(127)
_DENSE = 2
"""Up to so many numbers a row, sums are made in a table of all numbers."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The rows of one component in one stratum are a cell; components are numbered by their key.

    Attributes:
        owner: Component of each cell, ascending.
        stratum: Stratum of each cell.
        rows: Rows of each cell.
        seconds: Their stated durations.
        placed: Side of each component in a former split, the earliest where it had several.
        component: Component of each row of the manifest.
    """

    owner: NDArray[np.int64]
    stratum: NDArray[np.int32]
    rows: NDArray[np.float64]
    seconds: NDArray[np.float64]
    placed: NDArray[np.int8]
    component: NDArray[np.int64]

    @property
    def components(self) -> int:
        """Number of components."""
        return len(self.placed)

    def amounts(self, by_hours: bool) -> NDArray[np.float64]:
        """Return the size of each cell in seconds or rows."""
        return self.seconds if by_hours else self.rows

    def totals(self, by_hours: bool) -> NDArray[np.float64]:
        """Return the size of each component in seconds or rows."""
        return np.bincount(self.owner, self.amounts(by_hours), self.components).astype(np.float64)

    def wide(self) -> NDArray[np.bool_]:
        """Return whether each component has rows in more than one stratum."""
        return np.bincount(self.owner, minlength=self.components) > 1


def cells_of(rows: SplitRows, former: NDArray[np.int8]) -> Cells:
    """Sort rows into cells; components come in the order of their smallest key.

    Args:
        rows: What was read of the manifest.
        former: Side of each row in a former split, `NEW` where it had none.
    """
    if not rows.groups:
        return _single(rows, former)
    place_of, whole = _places(rows)
    component = place_of[rows.component]
    placed = np.full(whole, _UNKNOWN, np.int8)
    np.minimum.at(placed, component, np.where(former == NEW, _UNKNOWN, former))
    number, counts, seconds = _sums(component * len(rows.strata) + rows.stratum, rows.seconds)
    return Cells(
        owner=number // len(rows.strata),
        stratum=(number % len(rows.strata)).astype(np.int32),
        rows=counts,
        seconds=seconds,
        placed=np.where(placed == _UNKNOWN, NEW, placed).astype(np.int8),
        component=component,
    )


def _places(rows: SplitRows) -> tuple[NDArray[np.int64], int]:
    """Return the place of each component in the order of keys, and how many there are."""
    numbers = int(rows.component.max()) + 1
    key = np.full(numbers, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(key, rows.component, rows.key)
    used = np.zeros(numbers, bool)
    used[rows.component] = True
    there = np.flatnonzero(used)
    place_of = np.zeros(numbers, np.int64)
    place_of[there[np.argsort(key[there], kind="stable")]] = np.arange(len(there))
    return place_of, len(there)


def _sums(
    number: NDArray[np.int64], seconds: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the numbers that occur, ascending, each with its rows and their seconds."""
    numbers = int(number.max()) + 1
    if numbers <= _DENSE * len(number):
        there = np.arange(numbers)
    else:
        there, number = np.unique(number, return_inverse=True)
    counts = np.bincount(number, minlength=len(there)).astype(np.float64)
    summed = np.bincount(number, seconds, len(there)).astype(np.float64)
    kept = counts > 0
    return there[kept], counts[kept], summed[kept]


def _single(rows: SplitRows, former: NDArray[np.int8]) -> Cells:
    """Return a component a row, without grouping anything."""
    order = np.argsort(rows.key, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return Cells(
        owner=np.arange(len(order)),
        stratum=rows.stratum[order],
        rows=np.ones(len(order)),
        seconds=rows.seconds[order].astype(np.float64),
        placed=former[order],
        component=place,
    )
