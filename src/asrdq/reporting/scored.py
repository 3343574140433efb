"""What a page shows of the hypotheses of a manifest: the newest scoring of its content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from asrdq.leaderboard import Leaderboard, find_route, read_leaderboard
from asrdq.leaderboard.entries import entries_by_grouping, grouping_sections
from asrdq.reporting.misheard import MisheardTerms, misheard_terms
from asrdq.reporting.rates import RatePlot, further_plots, leaderboard_plots
from asrdq.reporting.rounds import Rounds, newest_rounds
from asrdq.scoring.aligned import AlignedWord, aligned
from asrdq.scoring.plan import DURATION_BUCKET
from asrdq.scoring.scorings import Scoring, is_first, read_groups, scorings
from asrdq.scoring.tables import SCORES, WORD_EDITS

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

EXAMPLES: Final = 8
MOST_WORDS: Final = 80
"""Places of an alignment that the page shows of one utterance."""

_CONFUSED: Final = 12


@dataclass(frozen=True)
class Confusion:
    """How often a word became another one, was left out (`hypothesis` empty) or put in."""

    reference: str
    hypothesis: str
    count: int


@dataclass(frozen=True)
class Example:
    """An utterance with its errors.

    Attributes:
        utt_id: Its id.
        words: Words of its reference.
        errors: Substitutions, deletions and insertions.
        places: Its alignment, at most `MOST_WORDS` places of it.
        hidden: Places after those.
    """

    utt_id: str
    words: int
    errors: int
    places: tuple[AlignedWord, ...]
    hidden: int


@dataclass(frozen=True)
class Scored:
    """A scored set of hypotheses as pages show it.

    Attributes:
        board: The leaderboard with its route.
        plots: Its fixed sections.
        groups: WER by whatever was scored.
        no_durations: Whether nothing was scored by duration.
        elsewhere: The manifest version that was scored, where its content is another one than
            that of the page.
        others: Other scorings of the manifest, the newest first.
        confusions: By kind of error, the most frequent first.
        misheard: What was heard in the place of the worst terms.
        examples: Utterances with the most errors.
        rounds: The newest comparison of two rounds, None without one.
    """

    board: Leaderboard
    plots: list[RatePlot]
    groups: list[RatePlot]
    no_durations: bool
    elsewhere: str
    others: tuple[str, ...]
    confusions: dict[str, list[Confusion]]
    misheard: MisheardTerms
    examples: tuple[Example, ...]
    rounds: Rounds | None


def find_scored(workspace: Workspace, manifest: ManifestVersion) -> Scored | None:
    """Return the newest scoring of a manifest: of its content, or else of another version.

    None where nothing was scored on any version of it.
    """
    mine = [found for found in scorings(workspace) if found.manifest_name == manifest.name]
    if not mine:
        return None
    versions = {str(own): own.fingerprint for own in workspace.history(manifest.name)}
    same = [found for found in mine if versions.get(found.manifest) == manifest.fingerprint]
    scoring = (same or mine)[0]
    board = read_leaderboard(workspace, scoring)
    board = replace(board, route=find_route(board, first=is_first(workspace, scoring)))
    entries = entries_by_grouping(read_groups(workspace, scoring).to_pylist(), scoring)
    return Scored(
        board=board,
        plots=leaderboard_plots(board),
        groups=further_plots(grouping_sections(entries, scoring.plan)),
        no_durations=DURATION_BUCKET not in entries,
        elsewhere="" if same else scoring.manifest,
        others=tuple(str(found) for found in mine if found.run_id != scoring.run_id),
        confusions=_confusions(workspace, scoring),
        misheard=misheard_terms(workspace, scoring, board),
        examples=_examples(workspace, scoring),
        rounds=newest_rounds(workspace, manifest),
    )


def _confusions(workspace: Workspace, scoring: Scoring) -> dict[str, list[Confusion]]:
    rows = _query(
        workspace,
        scoring,
        "SELECT kind, coalesce(reference, '') AS reference, coalesce(hypothesis, '') AS "
        f"hypothesis, count(*) AS count FROM {WORD_EDITS} WHERE run_id = $run GROUP BY 1, 2, 3 "
        f"QUALIFY row_number() OVER (PARTITION BY kind ORDER BY count(*) DESC, 2, 3) <= {_CONFUSED}"
        " ORDER BY count DESC, 2, 3",
    )
    found: dict[str, list[Confusion]] = {"substitution": [], "deletion": [], "insertion": []}
    for row in rows:
        found[row.pop("kind")].append(Confusion(**row))
    return found


def _examples(workspace: Workspace, scoring: Scoring) -> tuple[Example, ...]:
    errors = "substitutions + deletions + insertions"
    rows = _query(
        workspace,
        scoring,
        f"SELECT utt_id, words, {errors} AS errors, reference, hypothesis FROM {SCORES} "
        f"WHERE run_id = $run AND {errors} > 0 "
        f"ORDER BY errors DESC, words, utt_id LIMIT {EXAMPLES}",
    )
    return tuple(_example(**row) for row in rows)


def _example(utt_id: str, words: int, errors: int, reference: str, hypothesis: str) -> Example:
    places = aligned(reference, hypothesis)
    shown = tuple(places[:MOST_WORDS])
    return Example(utt_id, words, errors, shown, len(places) - len(shown))


def _query(workspace: Workspace, scoring: Scoring, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = workspace.query(sql, {"run": scoring.run_id}).to_pylist()
    return rows
