"""The leaderboard of a scored set: rates in a fixed order, each with its number and interval."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from asrdq.results import Result
from asrdq.scoring.differences import Difference, independent_difference
from asrdq.scoring.entries import (
    FIXED,
    HEADLINE,
    HEADLINE_SECTION,
    Entry,
    Section,
    entries_by_grouping,
    grouping_sections,
    ranked,
)
from asrdq.scoring.groups import BY_TERM
from asrdq.scoring.plan import IPA_SOURCE
from asrdq.scoring.rates import Metric
from asrdq.scoring.scorings import read_groups

if TYPE_CHECKING:
    from asrdq.scoring.routing import Route
    from asrdq.scoring.sclite import Agreement
    from asrdq.scoring.scorings import Scoring
    from asrdq.workspace import ManifestVersion, Workspace

DICTIONARY, GUESSED = "merriam-webster", "magpie_g2p"
"""Sources of pronunciations: a dictionary, and rules that guess from the spelling."""

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

    def summary(self) -> str:
        """Return the leaderboard as text, and what to do next."""
        from asrdq.scoring.telling import plain_text

        return plain_text(self)


def read_leaderboard(workspace: Workspace, scoring: Scoring) -> Leaderboard:
    """Return the leaderboard of a scoring.

    Raises:
        UsageError: Its manifest version is no longer there.
    """
    version = workspace.manifest(scoring.manifest)
    return arrange(read_groups(workspace, scoring).to_pylist(), scoring, version)


def arrange(
    groups: Sequence[dict[str, Any]], scoring: Scoring, manifest: ManifestVersion
) -> Leaderboard:
    """Return the leaderboard of rates by group.

    Args:
        groups: Rows of the scoring, schema `GROUPS`, in any order.
        scoring: The scoring.
        manifest: What it was scored on; its columns tell what could be there.
    """
    found = entries_by_grouping(groups, scoring)
    everything = {entry.metric: entry for entry in found.get("", [])}
    why = _Absence(scoring, manifest, Metric.KER in everything, frozenset(found))
    headline = tuple(everything[metric] for metric in HEADLINE if metric in everything)
    missing = why.of_terms() if why.no_keywords else ""
    sections = [Section(HEADLINE_SECTION, "All utterances", headline, missing)]
    for name, title in FIXED.items():
        entries = ranked(found.get(name, []), lambda entry: entry.metric == Metric.KER)
        sections.append(Section(name, title, entries, "" if entries else why.of(name)))
    sections += _further(found, scoring)
    return Leaderboard(
        run_id=scoring.run_id,
        hyps=scoring.hyps,
        manifest=scoring.manifest,
        normaliser=scoring.normaliser,
        normaliser_version=scoring.normaliser_version,
        normaliser_hash=scoring.normaliser_hash,
        rows=everything[Metric.SER].rows,
        weighted=scoring.plan.sample,
        sections=tuple(sections),
        ipa_delta=_ipa_delta(sections),
    )


def _further(found: dict[str, list[Entry]], scoring: Scoring) -> list[Section]:
    """Return what else was scored, as it was asked for; groups in the order of their WER."""
    return [
        section for section in grouping_sections(found, scoring.plan) if section.name not in FIXED
    ]


def _ipa_delta(sections: Iterable[Section]) -> Difference | None:
    """Return KER of guessed pronunciations less that of the dictionary's, where both are scored."""
    own = next(section for section in sections if section.name == IPA_SOURCE)
    by_source = {entry.member: entry for entry in own.entries}
    if DICTIONARY not in by_source or GUESSED not in by_source:
        return None
    return independent_difference(by_source[GUESSED], by_source[DICTIONARY])


@dataclass(frozen=True, slots=True)
class _Absence:
    """Why sections have no rates."""

    scoring: Scoring
    manifest: ManifestVersion
    keywords: bool
    groupings: frozenset[str]

    @property
    def no_keywords(self) -> bool:
        return not self.keywords

    def of_terms(self) -> str:
        """Say why no keyword was scored."""
        return f"no keyword was scored: {self.manifest} has no column '{self.scoring.plan.term}'"

    def of(self, name: str) -> str:
        """Say why a fixed section has no rates."""
        if name != BY_TERM and name not in self.manifest.columns:
            return f"{self.manifest} has no column '{name}'"
        if self.no_keywords:
            return self.of_terms()
        if name in self.groupings or name == BY_TERM:
            return "no term could be scored"
        again = f"asrdq score {self.manifest} --hyps {self.scoring.hyps}"
        return f"it was not scored by '{name}': {again} --by {name}"
