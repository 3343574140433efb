"""How many clips each stratum gives: by shares, size, equally or by what is known of its spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from asrdq.errors import UsageError, unknown

Method = Literal["shares", "proportional", "equal", "neyman"]


@dataclass(frozen=True, slots=True)
class StratumSize:
    """A stratum of the manifest: its rows, and the hours their stated durations add up to."""

    name: str
    rows: int
    hours: float


@dataclass(frozen=True, slots=True)
class Allocated:
    """What a stratum was asked for, and the rows it gives."""

    stratum: StratumSize
    asked_rows: float
    drawn_rows: int


def allocate(
    strata: Sequence[StratumSize],
    method: Method,
    *,
    rows: int | None = None,
    hours: float | None = None,
    shares: Mapping[str, float] | None = None,
    deviations: Mapping[str, float] | None = None,
    at_least_rows: int = 0,
) -> list[Allocated]:
    """Split a sample over strata.

    A short stratum gives all it has; what it lacks is spread over the others in proportion to
    their shares, again and again until nothing is left over. Rows are whole by largest
    remainder, add up exactly, and no stratum with a share is left without a clip where the
    sample has one for each. Hours become rows through the stratum's mean duration, so that
    every clip of a stratum has the same chance.

    Args:
        strata: Strata with at least one row each.
        method: `proportional` to the stratum, `equal`, `shares`, or `neyman`: in proportion to
            its size times the standard deviation within it (Neyman 1934), which gives the
            narrowest interval of the rate of the whole.
        rows: Size of the sample in clips; this or `hours`.
        hours: Size of the sample in hours.
        shares: A share for each stratum, for `shares`.
        deviations: A standard deviation for each stratum, for `neyman`.
        at_least_rows: Least number of clips of each stratum, or all that it has.

    Raises:
        UsageError: Shares are missing, unknown or do not add up to 1; the manifest states no
            durations and hours were asked for; or the least numbers are more than the sample.
    """
    by_hours = rows is None
    if by_hours and any(s.hours <= 0 for s in strata):
        raise UsageError(
            "the manifest states no durations in some strata, so hours cannot be drawn",
            hint="say --rows or --fraction",
        )
    room = [s.hours if by_hours else float(s.rows) for s in strata]
    wanted = min(float(hours or 0.0) if by_hours else float(rows or 0), sum(room))
    weights = _weights(strata, method, room, shares or {}, deviations or {})
    per_row = [s.hours / s.rows if by_hours else 1.0 for s in strata]
    least = [min(at_least_rows, s.rows) * size for s, size in zip(strata, per_row, strict=True)]
    amounts = _fill_above(wanted, weights, room, least)
    exact = [amount / size for amount, size in zip(amounts, per_row, strict=True)]
    total = min(round(sum(exact)), sum(s.rows for s in strata))
    drawn = _whole(exact, [s.rows for s in strata], total)
    asked = [wanted * weight / size for weight, size in zip(weights, per_row, strict=True)]
    return [Allocated(*each) for each in zip(strata, asked, drawn, strict=True)]


def _weights(
    strata: Sequence[StratumSize],
    method: Method,
    room: Sequence[float],
    shares: Mapping[str, float],
    deviations: Mapping[str, float],
) -> list[float]:
    if method == "neyman":
        spread = [size * deviations[s.name] for s, size in zip(strata, room, strict=True)]
        return [each / sum(spread) for each in spread]
    if method == "equal":
        return [1.0 / len(strata)] * len(strata)
    if method == "proportional":
        return [size / sum(room) for size in room]
    names = [s.name for s in strata]
    missing = [name for name in names if name not in shares]
    if missing:
        raise UsageError(
            f"allocation 'shares' has no share for {', '.join(missing)}",
            hint="give every stratum a share; 0 leaves it out",
        )
    if not abs(sum(shares.values()) - 1.0) <= 1e-6:
        raise UsageError(f"the shares add up to {sum(shares.values()):g}, not to 1")
    if negative := [name for name, share in shares.items() if share < 0]:
        raise UsageError(f"the share of {', '.join(negative)} is below 0")
    return [shares[name] for name in names]


def check_share_names(shares: Mapping[str, float], strata: Sequence[StratumSize]) -> None:
    """Refuse a share for a stratum that the manifest does not have.

    Raises:
        UsageError: A name is not among the strata; the nearest is given.
    """
    for name in shares:
        if name not in {s.name for s in strata}:
            raise unknown("stratum", name, [s.name for s in strata])


def _fill_above(
    wanted: float, weights: Sequence[float], room: Sequence[float], least: Sequence[float]
) -> list[float]:
    """Spread an amount by weight, raising strata that would get too little to their least."""
    if sum(least) > wanted + 1e-9:
        raise UsageError(
            "the least numbers of the strata add up to more than the sample",
            hint="draw more, or lower --at-least",
        )
    raised: set[int] = set()
    while True:
        left = wanted - sum(least[i] for i in raised)
        open_weights = [0.0 if i in raised else weight for i, weight in enumerate(weights)]
        amounts = _fill(left, open_weights, room)
        low = {i for i, amount in enumerate(amounts) if amount < least[i]} - raised
        if not low:
            return [least[i] if i in raised else amount for i, amount in enumerate(amounts)]
        raised |= low


def _fill(wanted: float, weights: Sequence[float], room: Sequence[float]) -> list[float]:
    """Spread an amount by weight; what a full stratum cannot take goes to the open ones."""
    amounts = [0.0] * len(room)
    open_ones = [i for i, weight in enumerate(weights) if weight > 0]
    left = wanted
    while open_ones and left > 1e-9:
        total = sum(weights[i] for i in open_ones)
        full = [i for i in open_ones if left * weights[i] / total >= room[i] - 1e-9]
        for i in full:
            amounts[i] = room[i]
        if not full:
            for i in open_ones:
                amounts[i] = left * weights[i] / total
            break
        left -= sum(room[i] for i in full)
        open_ones = [i for i in open_ones if i not in full]
    return amounts


def _whole(exact: Sequence[float], room: Sequence[int], total: int) -> list[int]:
    """Round to whole clips by largest remainder, then give every asked stratum one."""
    counts = [min(math.floor(value + 1e-9), most) for value, most in zip(exact, room, strict=True)]
    order = sorted(range(len(exact)), key=lambda i: (counts[i] - exact[i], i))
    while sum(counts) < total:
        before = sum(counts)
        for i in order:
            if sum(counts) < total and counts[i] < room[i] and exact[i] > 0:
                counts[i] += 1
        if sum(counts) == before:
            break
    empty = [i for i, value in enumerate(exact) if value > 0 and counts[i] == 0]
    for i in empty:
        giver = max(range(len(counts)), key=lambda k: counts[k])
        if counts[giver] < 2:
            break
        counts[giver] -= 1
        counts[i] += 1
    return counts
