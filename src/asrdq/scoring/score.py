"""`asrdq score`: error rates of a set of hypotheses, by group and with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from asrdq import console
from asrdq.engine.threads import in_threads
from asrdq.errors import DataError
from asrdq.results import Result
from asrdq.scoring.groups import Grouping, as_table, group_rows, groupings
from asrdq.scoring.plan import ScorePlan
from asrdq.scoring.reading import EXAMPLES, Joined, joined
from asrdq.scoring.staged import Staged, rows_of
from asrdq.scoring.tables import (
    EDITS,
    GROUPS,
    SCORE_GROUPS,
    SCORES,
    SPAN_SCORES,
    SPANS,
    TERM_SCORES,
    TERMS,
    UTTERANCES,
    WORD_EDITS,
)
from asrdq.scoring.utterances import ScoredUtterances, Utterances, score_utterances
from asrdq.scoring.vocabulary import Vocabulary
from asrdq.text.normalisers import Normaliser, normaliser
from asrdq.workspace.staging import staging
from asrdq.workspace.store import Rows

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

COMMAND = "score"
_THREADS, _AHEAD = 2, 4

_MISSING_WERE = {
    "strict": "refused",
    "empty": "scored as empty texts",
    "common": "left out",
}
_ROWS = {SCORES: UTTERANCES, WORD_EDITS: EDITS, TERM_SCORES: TERMS, SPAN_SCORES: SPANS}


@dataclass(frozen=True)
class ScoreResult(Result):
    """Error rates of a set of hypotheses.

    Attributes:
        run_id: The run.
        hyps: The set of hypotheses.
        manifest: The manifest version with the references.
        normaliser: Name of the normaliser.
        normaliser_version: Its version.
        normaliser_hash: Hash over everything that decides what it does.
        rows: Utterances scored.
        missing: Rows without a hypothesis.
        missing_were: What became of them.
        choices: References that offer a choice of words such as `{ um / uh }`: each hypothesis is
            scored against the words that fit it best.
        offers: Hypotheses that offer one: of them the words that fit best are scored, too.
        empty_references: Utterances without a word to be heard: only insertions are counted.
        groups: One row a group and metric (schema `GROUPS`).
        faults: Terms and spans that could not be scored, and why; at most 20 of a kind.
        fault_counts: How many there are of each kind.
    """

    main_table: ClassVar[str] = "groups"

    run_id: str
    hyps: str
    manifest: str
    normaliser: str
    normaliser_version: str
    normaliser_hash: str
    rows: int
    missing: int
    missing_were: str
    choices: int
    offers: int
    empty_references: int
    groups: pa.Table = field(repr=False)
    faults: pa.Table = field(repr=False)
    fault_counts: dict[str, int] = field(default_factory=dict)

    def summary(self) -> str:
        """Return the rates of all utterances together, a line each."""
        lines = [f"{self.hyps} on {self.manifest}: {self.rows:,} utterances, {self.normaliser}"]
        lines += [
            f"  {row['metric']}: {row['rate']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"
            for row in self.groups.to_pylist()
            if not row["grouped_by"]
        ]
        return "\n".join(lines)

    def rate(self, metric: str, grouped_by: str = "", member: str = "") -> dict[str, Any]:
        """Return the row of a metric: of all utterances together, or of one group.

        Raises:
            KeyError: It was not scored.
        """
        for row in self.groups.to_pylist():
            if (row["metric"], row["grouped_by"], row["member"]) == (metric, grouped_by, member):
                found: dict[str, Any] = row
                return found
        raise KeyError(f"{metric} of {grouped_by or 'all'} {member}".strip())


def score_hypotheses(
    workspace: Workspace,
    manifest: ManifestVersion,
    hyps: str,
    plan: ScorePlan | None = None,
    *,
    stage: console.Stage = console.silent,
) -> ScoreResult:
    """Score a set of hypotheses against the texts of a manifest.

    The rows go to the tables `scores`, `word_edits`, `term_scores`, `span_scores` and
    `score_groups`, in the place of those of the same set, manifest version and normaliser.

    Args:
        workspace: Where the manifest and the hypotheses are.
        manifest: The version with the references.
        hyps: Name of the set of hypotheses.
        plan: What is scored, and how.
        stage: Opens a progress display: of the utterances scored, then of the rates.

    Raises:
        UsageError: A column, the normaliser or the sample is not there.
        DataError: Rows have no hypothesis and the plan does not say what becomes of them, or
            there is nothing to score.
    """
    plan = (plan or ScorePlan()).for_leaderboard(manifest.columns)
    chosen = normaliser(plan.normaliser, equivalences=plan.equivalences)
    parameters = {**plan.parameters(), "hyps": hyps, "normaliser_hash": chosen.hash}
    with (
        workspace.run(COMMAND, manifest, parameters) as run,
        staging(workspace.store, run.run_id) as folder,
        joined(workspace, manifest, hyps, plan) as source,
    ):
        if not source.rows:
            raise DataError(f"{manifest} has no utterance that '{hyps}' could be scored on")
        asked = groupings(plan, terms=source.terms, spans=source.spans)
        with Staged(folder) as staged, stage("score", source.rows, "utterances") as bar:
            for scored, beside in _scored(source, plan, chosen):
                staged.add(scored, beside)
                bar.advance(scored.utterances.num_rows)
        keys = {"run_id": run.run_id, "hyps": hyps, "manifest": str(manifest)}
        versions = {
            "normaliser": chosen.name,
            "normaliser_version": str(chosen.version),
            "normaliser_hash": chosen.hash,
        }
        with stage("intervals", None, "rates") as bar:
            rows = _rates(source, staged, asked, plan, bar)
        groups = as_table(rows, {**keys, **versions}, GROUPS)
        _store(workspace, staged, groups, keys, versions)
        faults, fault_counts = _faults(source, staged)
        empty = _empty_references(source, staged)
    return ScoreResult(
        **keys,
        **versions,
        rows=source.rows,
        missing=source.missing,
        choices=source.choices,
        offers=source.offers,
        missing_were=_MISSING_WERE[plan.ids],
        empty_references=empty,
        groups=groups,
        faults=faults,
        fault_counts=fault_counts,
    )


def _scored(
    source: Joined, plan: ScorePlan, chosen: Normaliser
) -> Iterator[tuple[ScoredUtterances, pa.RecordBatch]]:
    """Score blocks in threads, a few ahead, and give them in order."""
    vocabulary = Vocabulary(source.distinct_terms(), chosen)

    def score(block: tuple[Utterances, pa.RecordBatch]) -> ScoredUtterances:
        return score_utterances(block[0], chosen, vocabulary)

    for (_, beside), done in in_threads(score, source.blocks(plan), _THREADS, _AHEAD):
        yield done, beside


def _rates(
    source: Joined,
    staged: Staged,
    asked: Sequence[Grouping],
    plan: ScorePlan,
    bar: console.Progress,
) -> list[dict[str, Any]]:
    """Return the rates of each group with their intervals."""
    rows = []
    for grouping in asked:
        relation = staged.relation(grouping.table)
        for row in group_rows(source.database, relation, grouping, plan):
            rows.append(row)
            bar.advance()
    return rows


def _store(
    workspace: Workspace,
    staged: Staged,
    groups: pa.Table,
    keys: dict[str, str],
    versions: dict[str, str],
) -> None:
    """Put the rows in the place of those of the same hypotheses, manifest and normaliser."""
    place = {name: keys[name] for name in ("hyps", "manifest")} | {
        "normaliser": versions["normaliser"]
    }
    streams = {
        name: rows_of(staged.file(name), schema, {**keys, **versions})
        for name, schema in _ROWS.items()
    }
    with ThreadPoolExecutor(_THREADS) as pool:
        tables: dict[str, Rows] = {**streams, SCORE_GROUPS: groups}
        list(pool.map(lambda name: workspace.replace(name, tables[name], **place), tables))


def _faults(source: Joined, staged: Staged) -> tuple[pa.Table, dict[str, int]]:
    """Return the first terms and spans that could not be scored, and the number of each fault."""
    listed = [
        f"SELECT utt_id, {kind} AS kind, {text} AS text, fault FROM "
        f"{staged.relation(name)} WHERE fault IS NOT NULL"
        for name, kind, text in ((TERM_SCORES, "'term'", "term"), (SPAN_SCORES, "label", "text"))
    ]
    source.database.execute(f"CREATE VIEW faulty AS {' UNION ALL '.join(listed)}")
    counted = source.database.sql("SELECT fault, count(*) FROM faulty GROUP BY 1").fetchall()
    rows = source.database.sql(
        "FROM faulty QUALIFY row_number() OVER (PARTITION BY fault ORDER BY utt_id, text) "
        f"<= {EXAMPLES} ORDER BY fault, utt_id, text"
    )
    return rows.to_arrow_table(), dict(counted)


def _empty_references(source: Joined, staged: Staged) -> int:
    found = source.database.sql(f"SELECT count(*) FROM {staged.relation(SCORES)} WHERE words = 0")
    [(empty,)] = found.fetchall()
    return int(empty)
