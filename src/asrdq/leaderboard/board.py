"""A leaderboard: rates in a fixed order, each with its number and interval."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from asrdq.leaderboard.differences import Difference
from asrdq.leaderboard.entries import HEADLINE_SECTION, Entry, Section
from asrdq.leaderboard.wording import entry_line, section_notes, shown
from asrdq.results import Result

if TYPE_CHECKING:
    from asrdq.leaderboard.route import Route
    from asrdq.leaderboard.sclite import Agreement

LEADERBOARD = pa.schema(
    [
        ("section", pa.string()),
        ("place", pa.int64()),
        ("member", pa.string()),
        ("metric", pa.string()),
        *((name, pa.float64()) for name in ("rate", "low", "high", "units")),
        ("rows", pa.int64()),
        ("method", pa.string()),
        ("blocks", pa.int64()),
        ("blocked_by", pa.string()),
    ]
)
"""One row a rate of a leaderboard, in its order; `place` counts from 1 in each section."""


@dataclass(frozen=True)
class Leaderboard(Result):
    """The rates of a scored set of hypotheses in their fixed order.

    Attributes:
        run_id: The scoring.
        hyps: The set of hypotheses.
        manifest: The manifest version, as `eval@3`.
        normaliser: Name of the normaliser.
        normaliser_version: Its version.
        normaliser_hash: Hash over everything that decides what it does.
        rows: Utterances scored.
        weighted: Whether they are a stratified sample, so that units are sums of weights.
        sections: Headline, KER by entity_category, ipa_source and noise_level, per term, and what
            else was scored; those without rates say why.
        ipa_delta: KER of guessed pronunciations less that of the dictionary's, where both are.
        route: What to do next, where that was asked.
        sclite: The same figures by sclite, where a report of it was given.
    """

    main_table: ClassVar[str] = "table"

    run_id: str
    hyps: str
    manifest: str
    normaliser: str
    normaliser_version: str
    normaliser_hash: str
    rows: int
    weighted: bool
    sections: tuple[Section, ...] = field(repr=False)
    ipa_delta: Difference | None = None
    route: Route | None = None
    sclite: Agreement | None = None

    @property
    def table(self) -> pa.Table:
        """Every rate in order (schema `LEADERBOARD`)."""
        rows = [
            {"section": section.name, "place": place, **dataclasses.asdict(entry)}
            for section in self.sections
            for place, entry in enumerate(section.entries, 1)
        ]
        return pa.Table.from_pylist(rows, schema=LEADERBOARD)

    def section(self, name: str) -> Section:
        """Return a section by its name.

        Raises:
            KeyError: There is none.
        """
        for section in self.sections:
            if section.name == name:
                return section
        raise KeyError(name)

    def headline(self, metric: str) -> Entry | None:
        """Return a rate of all utterances together; None where it was not scored."""
        entries = self.section(HEADLINE_SECTION).entries
        return next((entry for entry in entries if entry.metric == metric), None)

    @property
    def subject(self) -> str:
        """What it is about, in a line."""
        drawn = " of a weighted sample" if self.weighted else ""
        return (
            f"{self.hyps} on {self.manifest}: {self.rows:,} utterances{drawn}, normaliser "
            f"{self.normaliser} {self.normaliser_version} ({self.normaliser_hash})"
        )

    def notes(self, section: Section) -> list[str]:
        """Return what is to be said about a section: that it is absent, cut off, and the delta."""
        return list(section_notes(section, self.ipa_delta))

    def summary(self) -> str:
        """Return the leaderboard as text, and what to do next."""
        lines = [self.subject]
        for section in self.sections:
            lines += ["", section.title, *(f"  {entry_line(e)}" for e in shown(section))]
            lines += [f"  {note}" for note in self.notes(section)]
        if self.route:
            lines += ["", f"Next: {self.route.verdict}", *(f"  {r}" for r in self.route.told())]
        return "\n".join(lines)
