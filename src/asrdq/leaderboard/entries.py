"""Rates of groups as people are shown them: entries, in sections."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asrdq.scoring.groups import BY_ENTITY, BY_TERM
from asrdq.scoring.plan import ENTITY_CATEGORY, IPA_SOURCE, NOISE_LEVEL, TOGETHER
from asrdq.scoring.rates import Metric

if TYPE_CHECKING:
    from asrdq.scoring.plan import ScorePlan
    from asrdq.scoring.scorings import Scoring

DICTIONARY, GUESSED = "merriam-webster", "magpie_g2p"
"""Sources of pronunciations: a dictionary, and rules that guess from the spelling."""

HEADLINE: Final = (Metric.WER, Metric.CER, Metric.KER, Metric.SER)
HEADLINE_SECTION: Final = "headline"

FIXED: Final = {
    ENTITY_CATEGORY: "KER by entity category",
    IPA_SOURCE: "KER by source of pronunciation",
    NOISE_LEVEL: "KER by noise level",
    BY_TERM: "KER per term",
}
"""Sections that every leaderboard has after the headline, in their order."""

UNITS: Final = {
    Metric.WER: ("word", "words"),
    Metric.CER: ("character", "characters"),
    Metric.KER: ("row with a term", "rows with terms"),
    Metric.SER: ("utterance", "utterances"),
}
"""What a rate is a share of, in words: one of it, and many."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A rate of a group with its 95 % interval.

    Attributes:
        member: The group; empty for all utterances together.
        metric: The rate's name.
        rate: None where there is nothing to divide by.
        low: Lower limit; None where there is no interval.
        high: Upper limit.
        units: What it is a share of: words, characters, rows with terms, utterances.
        rows: Rows that it rests on, as counted; of a weighted sample those that were drawn.
        method: How the interval was made.
        blocks: Blocks that it rests on.
        blocked_by: What a block is: `utterance`, or the column.
    """

    member: str
    metric: str
    rate: float | None
    low: float | None
    high: float | None
    units: float
    rows: int
    method: str
    blocks: int
    blocked_by: str


@dataclass(frozen=True, slots=True)
class Section:
    """Part of a leaderboard.

    Attributes:
        name: `headline`, or the columns that make the groups.
        title: What it is called.
        entries: Rates; groups with the worst first.
        absent: Why there is none; empty where there is.
    """

    name: str
    title: str
    entries: tuple[Entry, ...]
    absent: str = ""

    @property
    def fixed(self) -> bool:
        """Whether every leaderboard has it, be it absent."""
        return self.name == HEADLINE_SECTION or self.name in FIXED


def entries_by_grouping(
    groups: Iterable[dict[str, Any]], scoring: Scoring
) -> dict[str, list[Entry]]:
    """Return rows of `GROUPS` as entries, by what they are grouped by; empty for all together."""
    found: dict[str, list[Entry]] = {}
    for row in groups:
        found.setdefault(row["grouped_by"], []).append(_entry(row, scoring))
    return found


def _entry(row: dict[str, Any], scoring: Scoring) -> Entry:
    """Return a row of `GROUPS` as an entry; blocks of a sample are the rows that were drawn."""
    counted = row["blocks"] if scoring.plan.sample else _rows(row)
    return Entry(
        member=row["member"],
        metric=row["metric"],
        rate=_known(row["rate"]),
        low=_known(row["low"]),
        high=_known(row["high"]),
        units=row["units"],
        rows=round(counted),
        method=row["method"],
        blocks=row["blocks"],
        blocked_by=row["blocked_by"],
    )


def _rows(row: dict[str, Any]) -> float:
    rows: float = row["keyword_rows" if row["metric"] == Metric.KER else "utterances"]
    return rows


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def ranked(entries: Iterable[Entry], chosen: Callable[[Entry], bool]) -> tuple[Entry, ...]:
    """Return entries with the worst first; of equal ones that with the most behind it."""
    return tuple(
        sorted(
            filter(chosen, entries),
            key=lambda entry: (entry.rate is None, -(entry.rate or 0), -entry.units, entry.member),
        )
    )


def grouping_sections(found: Mapping[str, Sequence[Entry]], plan: ScorePlan) -> list[Section]:
    """Return a section for each grouping of a plan, and for tagged spans; terms are left out.

    Args:
        found: Rates by what they are grouped by.
        plan: What was scored; its order is kept.
    """
    asked = [TOGETHER.join(names) for names in plan.groupings()]
    sections = []
    for name in dict.fromkeys([*asked, BY_ENTITY]):
        if name in ("", BY_TERM) or name not in found:
            continue
        worst = [entry.member for entry in ranked(found[name], lambda e: e.metric == Metric.WER)]
        order = {member: place for place, member in enumerate(worst)}
        shown = [entry for entry in found[name] if entry.metric in HEADLINE]
        shown.sort(key=lambda e: (order.get(e.member, 0), HEADLINE.index(Metric(e.metric))))
        title = "WER in tagged spans by class" if name == BY_ENTITY else f"By {name}"
        sections.append(Section(name, title, tuple(shown)))
    return sections
