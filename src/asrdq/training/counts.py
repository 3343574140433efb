"""What the loader really uses, held against what was handed off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from asrdq.errors import DataError, Problem

HOURS_TOLERANCE = 0.01
"""Share of the hours that may differ where the rows do not: durations of a manifest are rounded."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class LoaderCounts:
    """What a loader makes of a manifest, over all ranks.

    Attributes:
        rows: Clips that one pass over the data trains on, or validates on.
        hours: Their audio.
        dropped: Clips that are left out, by reason, none that did not occur: `no_duration`,
            `too_short`, `too_long`, `empty_text` as a plan calls them, `unreadable` and others.
    """

    rows: int
    hours: float
    dropped: Mapping[str, int] = field(default_factory=dict)


def check_counts(side: str, used: LoaderCounts, expected: LoaderCounts, tolerance: float) -> None:
    """Refuse a loader that uses other data than were handed off.

    Args:
        side: `train` or `validation`.
        used: What the loader keeps.
        expected: What was handed off, less what the recipe drops.
        tolerance: The share of the rows by which they may differ.

    Raises:
        DataError: Rows differ by more than that, or hours by more than that and one per cent.
    """
    problems = list(_problems(used, expected, tolerance))
    if problems:
        raise DataError(
            f"the loader does not use what was handed off for {side}",
            problems=[Problem(problem) for problem in problems],
            hint="asrdq handoff verify looks for the audio; --loader-tolerance 0.01 lets one row "
            "in a hundred differ",
        )


def _problems(used: LoaderCounts, expected: LoaderCounts, tolerance: float) -> Iterator[str]:
    apart = abs(used.rows - expected.rows)
    if apart > tolerance * expected.rows + _ROUNDING:
        yield f"{used.rows:,} rows, and {expected.rows:,} were to be left: {apart:,} apart"
        yield from _reasons(used, expected)
    allowed = max(tolerance, HOURS_TOLERANCE)
    if abs(used.hours - expected.hours) > allowed * expected.hours + _ROUNDING:
        yield f"{used.hours:,.4g} hours, and {expected.hours:,.4g} were to be left"


def _reasons(used: LoaderCounts, expected: LoaderCounts) -> Iterator[str]:
    for reason in sorted({*used.dropped, *expected.dropped}):
        now, before = used.dropped.get(reason, 0), expected.dropped.get(reason, 0)
        if now != before:
            yield f"{reason}: {now:,} dropped, {before:,} expected"
