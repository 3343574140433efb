"""How coverage and confidence are distributed in each stratum, and which reasons there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from asrdq.audit.reasons import InstrumentStatus
from asrdq.reporting.plots import UNIT, Histogram, histogram

MOST_STRATA: Final = 40
"""More strata than this are too many for a page; the largest are shown."""

MOST_DRAWN: Final = 12
"""More strata than this have their distribution in a table only."""

_BINS: Final = 40


@dataclass(frozen=True)
class Spread:
    """How one measure is distributed among the judged clips of a stratum.

    Attributes:
        stratum: Its name; None for all strata together.
        histogram: Of the clips; one without a value counts as 0.
        below: Clips below the limit.
    """

    stratum: str | None
    histogram: Histogram
    below: int


def spreads(
    clips: Sequence[dict[str, Any]], strata: Iterable[str], measure: str, limit: float
) -> list[Spread]:
    """Return the distribution of a measure for all clips together and in each stratum.

    Args:
        clips: Rows of `audits`.
        strata: The strata to show, in order.
        measure: Column of `audits` with values from 0 to 1.
        limit: Value below which a clip is of low quality.
    """
    judged = [clip for clip in clips if clip["instrument"] == InstrumentStatus.OK]
    values = np.array([clip[measure] or 0.0 for clip in judged], dtype=np.float64)
    homes = np.array([clip["stratum"] for clip in judged], dtype=object)
    shown = list(strata)
    groups: list[tuple[str | None, Any]] = [(None, np.full(len(judged), True))]
    if len(shown) > 1:
        groups += [(name, homes == name) for name in shown]
    return [
        Spread(name, histogram(values[rows], UNIT, _BINS), int((values[rows] < limit).sum()))
        for name, rows in groups
    ]


@dataclass(frozen=True)
class Tally:
    """How many clips carry a code.

    Attributes:
        code: The code.
        clips: Clips that carry it.
        share: Of `whole`, 0 to 1.
        strata: Clips by stratum, the most first.
    """

    code: str
    clips: int
    share: float
    strata: tuple[tuple[str, int], ...]


def reason_tallies(clips: Sequence[dict[str, Any]]) -> list[Tally]:
    """Count the reasons of low-quality clips, as shares of those clips, the most frequent first."""
    low = [clip for clip in clips if clip["low_quality"]]
    pairs = [(reason, clip["stratum"]) for clip in low for reason in clip["reasons"]]
    return _tallies(pairs, len(low))


def unjudged_tallies(clips: Sequence[dict[str, Any]]) -> list[Tally]:
    """Count why clips could not be judged, as shares of all audited clips."""
    failed = [clip for clip in clips if clip["instrument"] != InstrumentStatus.OK]
    pairs = [(clip["instrument"], clip["stratum"]) for clip in failed]
    return _tallies(pairs, len(clips))


def _tallies(pairs: Sequence[tuple[str, str]], whole: int) -> list[Tally]:
    by_code: dict[str, Counter[str]] = {}
    for code, stratum in pairs:
        by_code.setdefault(code, Counter())[stratum] += 1
    found = [
        Tally(code, strata.total(), strata.total() / whole, tuple(strata.most_common()))
        for code, strata in by_code.items()
    ]
    return sorted(found, key=lambda tally: (-tally.clips, tally.code))
