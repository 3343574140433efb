"""Scored sets as evidence: of the present references, of every row, by the present normaliser."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.gates.demands.finding_runs import Row, answering_run, present, runs_of, stands
from asrdq.gates.demands.judged import Asked, NoEvidenceError, Source
from asrdq.hypotheses.tables import TABLE as HYPOTHESES
from asrdq.scoring.rates import COUNTERS, ErrorCounts, Metric
from asrdq.scoring.scorings import Scoring, read_groups, scorings
from asrdq.scoring.tables import SCORE_GROUPS, SCORES
from asrdq.text.normalisers import normaliser

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

_SUMS = (
    *("hits", "substitutions", "deletions", "insertions", "words", "characters"),
    *("character_edits", "keyword_hits", "keyword_misses", "keyword_false"),
)
"""Counts that must be the same in both tables of a scoring."""


@dataclass(frozen=True, slots=True)
class StandingScoring:
    """A scoring that can be believed now.

    Attributes:
        scoring: The scoring.
        sources: Its run, and those that wrote the hypotheses.
    """

    scoring: Scoring
    sources: tuple[Source, ...]


def standing_scoring(
    asked: Asked, manifest: str, hyps: str, by: str | None = None
) -> StandingScoring:
    """Return the newest scoring of a set that can be believed now; it is looked at once.

    It is of exactly the present content of the manifest and of every row of it, and neither
    hypotheses nor normaliser have changed since; its tables say the same.

    Args:
        asked: What the gate is asked about.
        manifest: The evaluation manifest.
        hyps: The set of hypotheses.
        by: Name of the normaliser; None for any.

    Raises:
        NoEvidenceError: There is none.
        UsageError: There is no such manifest.
    """
    key = (manifest, hyps, by)
    if key not in asked.known:
        asked.known[key] = _look(asked.workspace, manifest, hyps, by)
    found: StandingScoring = asked.known[key]
    return found


def _look(workspace: Workspace, manifest: str, hyps: str, by: str | None) -> StandingScoring:
    evaluation = present(workspace, manifest)
    made = {scoring.run_id: scoring for scoring in scorings(workspace) if scoring.hyps == hyps}
    runs = [
        run
        for run in runs_of(workspace, "score", evaluation.name)
        if run["parameters"].get("hyps") == hyps
        and by in (None, run["parameters"].get("normaliser"))
    ]
    run = answering_run(
        runs,
        f"scoring of {hyps} on {evaluation.name}" + (f" by {by}" if by else ""),
        (
            lambda run: stands(workspace, run["manifest_version"], run["fingerprint"], evaluation),
            f"is on other content than {evaluation}",
        ),
        (lambda run: run["run_id"] in made, "has lost its rows, or they were replaced"),
        (lambda run: not made[run["run_id"]].plan.sample, "is of a sample, not of every row"),
    )
    scoring = made[run["run_id"]]
    source = Source(
        SCORE_GROUPS,
        f"SELECT * FROM {SCORE_GROUPS} WHERE run_id = '{scoring.run_id}'",
        f"score {hyps} on {evaluation.name}",
        scoring.run_id,
        run["ended"],
        (evaluation,),
    )
    _check_normaliser(scoring, source)
    _check_rows(workspace, evaluation, scoring, source)
    written = _written(workspace, evaluation, hyps)
    if any(one.recorded is None or one.recorded > run["ended"] for one in written):
        raise NoEvidenceError(f"{hyps} was written again since it was scored", (source, *written))
    return StandingScoring(scoring, (source, *written))


def _written(workspace: Workspace, evaluation: ManifestVersion, hyps: str) -> list[Source]:
    """Return the runs that wrote the hypotheses of a set.

    Raises:
        NoEvidenceError: There are no hypotheses.
    """
    if not workspace.table_exists(HYPOTHESES):
        raise NoEvidenceError(f"there is no table '{HYPOTHESES}'")
    found = workspace.query(
        "SELECT written.run_id, ended FROM (SELECT DISTINCT run_id FROM hypotheses "
        "WHERE hyps = $hyps AND manifest = $manifest) written LEFT JOIN runs USING (run_id) "
        "ORDER BY run_id",
        {"hyps": hyps, "manifest": evaluation.name},
    ).to_pylist()
    if not found:
        raise NoEvidenceError(f"the hypotheses {hyps} of {evaluation.name} are gone")
    return [
        Source(
            HYPOTHESES,
            f"SELECT * FROM {HYPOTHESES} WHERE run_id = '{row['run_id']}'",
            f"hypotheses {hyps} on {evaluation.name}, part {number}",
            row["run_id"],
            row["ended"],
        )
        for number, row in enumerate(found, 1)
    ]


def _check_normaliser(scoring: Scoring, source: Source) -> None:
    now = normaliser(scoring.plan.normaliser, equivalences=scoring.plan.equivalences)
    if now.hash != scoring.normaliser_hash:
        raise NoEvidenceError(
            f"the normaliser '{scoring.normaliser}' has changed since {scoring.hyps} was scored",
            (source,),
        )


def _check_rows(
    workspace: Workspace, evaluation: ManifestVersion, scoring: Scoring, source: Source
) -> None:
    """Refuse scores that are not one of each row, or that do not add up to their groups."""
    sums = ", ".join(f"sum({name})::DOUBLE AS {name}" for name in _SUMS)
    [found] = workspace.query(
        f"SELECT count(*) AS rows, count(DISTINCT utt_id) AS ids, {sums}, "
        f'count(*) FILTER (utt_id IN (SELECT utt_id FROM "{evaluation}")) AS known '
        f"FROM {SCORES} WHERE run_id = $run",
        {"run": scoring.run_id},
    ).to_pylist()
    if not found["rows"] == found["ids"] == found["known"] == evaluation.rows:
        raise NoEvidenceError(
            f"{found['ids']:,} of the {evaluation.rows:,} rows of {evaluation} are scored, in "
            f"{found['rows']:,} rows of '{SCORES}'",
            (source,),
            f"asrdq score {evaluation.name} --hyps {scoring.hyps} --ids empty",
        )
    whole = [row for row in read_groups(workspace, scoring).to_pylist() if not row["grouped_by"]]
    if not whole:
        raise NoEvidenceError(f"'{SCORE_GROUPS}' has no row about all utterances", (source,))
    for row in whole:
        for name in _SUMS:
            if not math.isclose(row[name], found[name], rel_tol=1e-9):
                raise NoEvidenceError(
                    f"'{SCORE_GROUPS}' counts {row[name]:,.0f} {name}, '{SCORES}' "
                    f"{found[name]:,.0f}",
                    (source,),
                )


def scored_rate(
    workspace: Workspace, standing: StandingScoring, metric: str, where: dict[str, str]
) -> Row:
    """Return the row of a rate: of all utterances, or of one group.

    Raises:
        NoEvidenceError: It was not scored, or does not follow from its counts.
    """
    scoring, sources = standing.scoring, standing.sources
    rows: list[Row] = read_groups(workspace, scoring).to_pylist()
    for row in rows:
        columns = [name for name in row["grouped_by"].split("+") if name]
        wanted = " + ".join(where[name] for name in columns if name in where)
        if set(columns) == set(where) and (row["metric"], row["member"]) == (metric, wanted):
            _check_rate(row, sources)
            return row
    by = f" --by {'+'.join(where)}" if where else ""
    group = f" of {', '.join(f'{name}={value}' for name, value in where.items())}" if where else ""
    raise NoEvidenceError(
        f"{scoring.hyps} has no {metric}{group}",
        sources,
        f"asrdq score {scoring.manifest_name} --hyps {scoring.hyps}{by}",
    )


def _check_rate(row: dict[str, Any], sources: tuple[Source, ...]) -> None:
    rate = ErrorCounts(*(row[name] for name in COUNTERS)).rate(Metric(row["metric"]))
    stated = row["rate"]
    if stated is None or math.isnan(stated) or math.isnan(rate):
        raise NoEvidenceError(f"{row['metric']} is not defined: nothing to divide by", sources)
    low, high = row["low"], row["high"]
    ordered = low is None or high is None or math.isnan(high - low) or low <= stated <= high
    if not math.isclose(rate, stated, rel_tol=1e-9, abs_tol=1e-12) or not ordered:
        raise NoEvidenceError(
            f"{row['metric']} {stated:.4g} [{low}, {high}] does not follow from its counts, which "
            f"give {rate:.4g}",
            sources,
        )
