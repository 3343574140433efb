"""Which side each component goes to: sizes first, then the mixture of strata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asrdq.splitting.cells import NEW, Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.splitting.plan import SideTarget, SplitPlan

_PASSES = 12


def quotas(cells: Cells, plan: SplitPlan, side: SideTarget, strata: int) -> NDArray[np.float64]:
    """Return what a side is asked to have of each stratum, in rows or seconds.

    The size is spread in proportion to the strata; rows are whole, by largest remainder. With
    `at_least_rows`, each stratum gets its own share rounded and at least that many rows, as far
    as one is left for the first side.
    """
    rows = np.bincount(cells.stratum, cells.rows, strata)
    there = np.bincount(cells.stratum, cells.amounts(side.by_hours), strata).astype(np.float64)
    wanted = side.amount(int(rows.sum()))
    exact = there * (wanted / there.sum()) if there.sum() else there
    if plan.at_least_rows:
        room = np.floor((rows - 1) / len(plan.sides))
        least = np.minimum(plan.at_least_rows, room) * (there / rows)
        rounded = exact if side.by_hours else np.round(exact)
        return np.maximum(np.minimum(rounded, there * (1 - 1 / rows)), least)
    if side.by_hours:
        return exact
    whole = np.floor(exact)
    left = round(wanted) - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return whole


def assign(cells: Cells, plan: SplitPlan, strata: int) -> NDArray[np.int8]:
    """Return the side of each component: 0 for the first, then in the order of the plan.

    Components of a former split keep their side. The others are taken in the order of their
    keys: those that lie in several strata where that brings the mixture nearer, up to their
    own part of each quota; then those of one stratum until its quota is full; at last whatever
    brings the size of the side nearest to what was asked.
    """
    side_of = cells.placed.copy()
    for number, side in enumerate(plan.sides, 1):
        _fill_side(cells, side_of, number, side.by_hours, quotas(cells, plan, side, strata))
    side_of[side_of == NEW] = 0
    return side_of


def _fill_side(
    cells: Cells,
    side_of: NDArray[np.int8],
    number: int,
    by_hours: bool,
    quota: NDArray[np.float64],
) -> None:
    amounts, totals, wide = cells.amounts(by_hours), cells.totals(by_hours), cells.wide()
    kept = side_of[cells.owner] == number
    left = quota - np.bincount(cells.stratum[kept], amounts[kept], len(quota))
    if wide.any():
        _take_wide(cells, side_of, number, amounts, wide, left)
    _take_narrow(cells, side_of, number, amounts, wide, left)
    missing = quota.sum() - totals[side_of == number].sum()
    free = np.flatnonzero(side_of == NEW)
    if missing > 0:
        side_of[free[fill(totals[free], missing)]] = number
    elif missing < 0:
        taken = np.flatnonzero((side_of == number) & (cells.placed == NEW))[::-1]
        side_of[taken[fill(totals[taken], -missing)]] = NEW


def _take_wide(
    cells: Cells,
    side_of: NDArray[np.int8],
    number: int,
    amounts: NDArray[np.float64],
    wide: NDArray[np.bool_],
    left: NDArray[np.float64],
) -> None:
    """Take components of several strata, as long as each brings the mixture nearer."""
    here = np.flatnonzero((wide & (side_of == NEW))[cells.owner])
    if not len(here):
        return
    free = np.bincount(cells.stratum, amounts * (side_of[cells.owner] == NEW), len(left))
    in_wide = np.bincount(cells.stratum[here], amounts[here], len(left))
    part = np.divide(in_wide, free, out=np.zeros_like(free), where=free > 0)
    open_now = (np.maximum(left, 0) * part).tolist()
    owners, starts = np.unique(cells.owner[here], return_index=True)
    ends = np.append(starts[1:], len(here)).tolist()
    strata, sizes = cells.stratum[here].tolist(), amounts[here].tolist()
    missing = sum(open_now)
    for owner, start, end in zip(owners.tolist(), starts.tolist(), ends, strict=True):
        if missing <= 0:
            break
        pairs = [(strata[at], sizes[at]) for at in range(start, end)]
        nearer = sum(abs(open_now[s]) - abs(open_now[s] - size) for s, size in pairs)
        if nearer <= 0:
            continue
        side_of[owner] = number
        for s, size in pairs:
            open_now[s] -= size
            left[s] -= size
            missing -= size


def _take_narrow(
    cells: Cells,
    side_of: NDArray[np.int8],
    number: int,
    amounts: NDArray[np.float64],
    wide: NDArray[np.bool_],
    left: NDArray[np.float64],
) -> None:
    """Take components of one stratum until the quota of each stratum is full."""
    free = np.flatnonzero((~wide & (side_of == NEW))[cells.owner])
    order = free[np.argsort(cells.stratum[free], kind="stable")]
    bounds = np.searchsorted(cells.stratum[order], np.arange(len(left) + 1))
    for stratum in np.flatnonzero(left > 0).tolist():
        mine = order[bounds[stratum] : bounds[stratum + 1]]
        side_of[cells.owner[mine[fill(amounts[mine], left[stratum])]]] = number


def fill(amounts: NDArray[np.float64], wanted: float) -> NDArray[np.int64]:
    """Return which of the amounts, the early ones first, add up to nearly what is wanted.

    What would go over is passed by, so the sum stays below; at the end the one amount is added
    that brings it nearest, if there is one.
    """
    free = amounts > 0
    taken = np.zeros(len(amounts), bool)
    left = wanted
    for _ in range(_PASSES):
        fits = np.flatnonzero(free & (amounts <= left))
        if not len(fits):
            break
        sums = np.cumsum(amounts[fits])
        count = int(np.searchsorted(sums, left, side="right"))
        taken[fits[:count]] = True
        free[fits[:count]] = False
        left -= float(sums[count - 1])
    rest = np.flatnonzero(free)
    if len(rest) and left > 0:
        nearest = rest[np.argmin(np.abs(amounts[rest] - left))]
        if abs(amounts[nearest] - left) < left:
            taken[nearest] = True
    return np.flatnonzero(taken)
