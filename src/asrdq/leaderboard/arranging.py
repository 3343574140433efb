"""The leaderboard of a scored set: its rates put in order, and why some are not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.leaderboard.board import Leaderboard
from asrdq.leaderboard.differences import Difference, independent_difference
from asrdq.leaderboard.entries import (
    DICTIONARY,
    FIXED,
    GUESSED,
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
    from asrdq.scoring.scorings import Scoring
    from asrdq.workspace import ManifestVersion, Workspace


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
