"""Leaderboards by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from asrdq.leaderboard.board import Leaderboard
    from asrdq.leaderboard.entries import Entry

MakeEntry = Callable[..., "Entry"]


@pytest.fixture
def entry() -> MakeEntry:
    """A KER by hand: `entry("drug", 0.35, 0.25, 0.45, rows=40)`."""
    from asrdq.leaderboard.entries import Entry

    def make(
        member: str,
        rate: float | None,
        low: float | None = None,
        high: float | None = None,
        *,
        rows: int = 50,
        metric: str = "ker",
    ) -> Entry:
        narrow = None if rate is None else (rate - 0.001, rate + 0.001)
        low, high = (narrow or (None, None)) if low is None else (low, high)
        return Entry(member, metric, rate, low, high, rows, rows, "wilson", rows, "utterance")

    return make


MakeBoard = Callable[..., "Leaderboard"]


@pytest.fixture
def board(entry: MakeEntry) -> MakeBoard:
    """A leaderboard by hand: `board([entry(…)], rows=120)`, categories with the worst first."""
    from asrdq.leaderboard.board import Leaderboard
    from asrdq.leaderboard.differences import independent_difference
    from asrdq.leaderboard.entries import FIXED, HEADLINE_SECTION, Section

    def make(
        categories: Sequence[Entry] = (),
        *,
        rows: int = 120,
        sources: Sequence[Entry] = (),
        headline: Sequence[Entry] = (),
    ) -> Leaderboard:
        found = {"entity_category": tuple(categories), "ipa_source": tuple(sources)}
        sections = [Section(HEADLINE_SECTION, "All utterances", tuple(headline))]
        for name, title in FIXED.items():
            own = found.get(name, ())
            sections.append(Section(name, title, own, "" if own else f"no column '{name}'"))
        delta = None
        if len(sources) == 2:
            by_name = {own.member: own for own in sources}
            delta = independent_difference(by_name["magpie_g2p"], by_name["merriam-webster"])
        return Leaderboard(
            run_id="20260101T000000-abc",
            hyps="r1",
            manifest="eval@0",
            normaliser="basic",
            normaliser_version="1",
            normaliser_hash="abc",
            rows=rows,
            weighted=False,
            sections=tuple(sections),
            ipa_delta=delta,
        )

    return make
