"""Error rates of groups as rows of a plot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from asrdq.leaderboard.board import Leaderboard
from asrdq.leaderboard.entries import Entry, Section
from asrdq.leaderboard.wording import ipa_delta
from asrdq.reporting.plots import Scale, rate_scale
from asrdq.scoring.plan import DURATION_BUCKET, DURATION_BUCKETS, IPA_SOURCE
from asrdq.scoring.rates import Metric

MOST_DRAWN: Final = 20


@dataclass(frozen=True)
class RatePlot:
    """Rates of groups, each with its interval, on one axis.

    Attributes:
        title: What is drawn.
        rows: The groups.
        scale: The axis.
        hidden: Groups that the page has no room for.
        absent: Why there is nothing to draw; empty where there is.
        note: What is to be said under the plot.
    """

    title: str
    rows: tuple[Entry, ...]
    scale: Scale
    hidden: int = 0
    absent: str = ""
    note: str = ""


def rate_plot(title: str, entries: Sequence[Entry], absent: str = "", note: str = "") -> RatePlot:
    """Return a plot of rates in the order given; those without a rate are left out."""
    known = [entry for entry in entries if entry.rate is not None]
    shown = known[:MOST_DRAWN]
    ends = [value for entry in shown for value in (entry.rate, entry.high) if value is not None]
    return RatePlot(title, tuple(shown), rate_scale(ends), len(known) - len(shown), absent, note)


def leaderboard_plots(board: Leaderboard) -> list[RatePlot]:
    """Return the fixed sections of a leaderboard as plots, the headline first."""
    plots = []
    for section in board.sections:
        if section.fixed:
            delta = (
                ipa_delta(board.ipa_delta) if section.name == IPA_SOURCE and section.entries else ""
            )
            plots.append(rate_plot(section.title, section.entries, section.absent, delta))
    return plots


def further_plots(sections: Iterable[Section]) -> list[RatePlot]:
    """Return a plot of WER for each grouping."""
    plots = []
    for section in sections:
        rates = [entry for entry in section.entries if entry.metric == Metric.WER]
        if section.name == DURATION_BUCKET:
            order = [*DURATION_BUCKETS]
            rates.sort(key=lambda e: order.index(e.member) if e.member in order else len(order))
        plots.append(rate_plot(section.title, rates))
    return plots
