"""`asrdq compare`: two scored rounds, their differences, and what to do next."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import asrdq
from asrdq import console
from asrdq.errors import UsageError, unknown
from asrdq.manifests.columns import DURATION, UTT_ID
from asrdq.rounds.alignments import round_errors
from asrdq.rounds.blocks import block_rows
from asrdq.rounds.changed_rows import changed_rows
from asrdq.rounds.decision import decide
from asrdq.rounds.deltas import Changes
from asrdq.rounds.evaluation import Evaluation
from asrdq.rounds.exposure import HELD_OUT, Exposure, find_exposure
from asrdq.rounds.groups import Grouping, by_column, by_duration, everything
from asrdq.rounds.guards import judge_guard
from asrdq.rounds.history import former_relative
from asrdq.rounds.mapsswe import mapsswe
from asrdq.rounds.mcnemar import mcnemar
from asrdq.rounds.measuring import hold_criteria
from asrdq.rounds.pairing import METRICS, Pairing, pair, pair_terms, word_error_counts
from asrdq.rounds.plan import ComparePlan
from asrdq.rounds.result import Comparison
from asrdq.rounds.ruler import Measured, by_one_ruler
from asrdq.rounds.schema import COMPARISONS, DELTAS, GROUPS, GROUPS_TABLE, TABLE
from asrdq.rounds.scored import Scoring, find_scorings
from asrdq.rounds.speakers import speaker_rates, speaker_test
from asrdq.scoring.plan import DURATION_BUCKET

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

COMMAND = "compare"


def compare_rounds(
    workspace: Workspace,
    before: str,
    after: str,
    plan: ComparePlan | None = None,
    *,
    manifest: str | None = None,
    stage: console.Stage = console.silent,
) -> Comparison:
    """Compare two scored rounds and decide what to do; rows go to `comparisons`.

    Args:
        workspace: Where the scores are.
        before: Hypotheses of the older round.
        after: Hypotheses of the newer round.
        plan: What they are compared by, and what decides.
        manifest: The evaluation manifest, where the rounds were scored on several.
        stage: Shows progress.

    Raises:
        UsageError: A round was not scored, or a column, value or manifest is not there.
        DataError: The rounds do not have the same utterances and the plan does not say that
            those in common are enough, or a ruler cannot be had any more.
    """
    plan = plan or ComparePlan()
    if before == after:
        raise UsageError(f"'{before}' is compared with itself", hint="asrdq compare r1 r2")
    rounds = find_scorings(workspace, [before, after], manifest)
    train = workspace.manifest(plan.train) if plan.train else None
    parameters = {**plan.parameters(), "scored": [scoring.run_id for scoring in rounds]}
    with workspace.run(COMMAND, rounds[1].manifest, parameters) as run:
        with stage("read", None, "rounds") as bar:
            measured = by_one_ruler(workspace, *rounds)
            pairing = pair(measured.before.utterances, measured.after.utterances, ids=plan.ids)
            columns = _columns(workspace, rounds[1].manifest, pairing, plan)
            bar.advance(2)
        exposure = None
        if train is not None:
            with stage("look into the training data", None, "manifests") as bar:
                exposure = _exposure(workspace, train, rounds[1], measured, pairing)
                bar.advance(1)
        result = _compare(
            workspace, run.run_id, rounds, plan, pairing, measured, columns, exposure, stage
        )
        _store(workspace, result, rounds, plan)
    return result


def _compare(
    workspace: Workspace,
    run_id: str,
    rounds: list[Scoring],
    plan: ComparePlan,
    pairing: Pairing,
    measured: Measured,
    columns: dict[str, Grouping],
    exposure: Exposure | None,
    stage: console.Stage,
) -> Comparison:
    blocking = block_rows(pairing.after["block"], seed=plan.seed)
    changes = Changes(pairing, blocking, plan.replicates, plan.seed)
    groupings = [everything(len(pairing)), *columns.values()]
    held_out = np.ones(len(pairing), np.bool_)
    if exposure:
        groupings.append(exposure.grouping(pairing.utt_ids))
        held_out = groupings[-1].of_row == groupings[-1].names.index(HELD_OUT)
    evaluation = Evaluation(changes, columns, held_out, exposure is not None)
    target = evaluation.change(plan.metric, plan.target)
    guards = tuple(
        judge_guard(evaluation.change(plan.guard_metric, guard), plan.margin)
        for guard in plan.guards
    )
    former = former_relative(
        workspace,
        manifest=rounds[1].manifest.name,
        before=rounds[0].hyps,
        metric=plan.metric,
        target=target.scope,
    )
    with stage("compare groups", len(METRICS) * len(groupings), "groupings") as bar:
        tables = [DELTAS.empty_table()]
        for metric in METRICS:
            for grouping in groupings:
                tables.append(changes.table(metric, grouping))
                bar.advance(1)
        if exposure:
            tables.append(_by_term(rounds[1], plan, pairing, measured, exposure))
    with stage("align words", 2, "rounds") as bar:
        errors = []
        for rows in (pairing.before, pairing.after):
            errors.append(round_errors(rows))
            bar.advance(1)
    wrong = [word_error_counts(rows) > 0 for rows in (pairing.before, pairing.after)]
    train = plan.train
    return Comparison(
        run_id=run_id,
        manifest=str(rounds[1].manifest),
        before=rounds[0].hyps,
        after=rounds[1].hyps,
        rows=len(pairing),
        blocks=str(blocking),
        decision=decide(target, guards, former, plan.rules),
        target=target,
        guards=guards,
        outcome=(
            hold_criteria(workspace, plan.criteria, evaluation, train) if plan.criteria else None
        ),
        ruler=measured.change,
        mapsswe=mapsswe(*errors),
        mcnemar=mcnemar(*wrong),
        speakers=speaker_test(*speaker_rates(pairing)),
        notes=tuple(_notes(plan, pairing, exposure)),
        deltas=pa.concat_tables(tables),
        changed=changed_rows(pairing),
    )


def _columns(
    workspace: Workspace, manifest: ManifestVersion, pairing: Pairing, plan: ComparePlan
) -> dict[str, Grouping]:
    """Return the groupings by duration and by each column that is asked for."""
    asked = [name for name in plan.columns() if name != DURATION_BUCKET]
    for name in asked:
        if name not in manifest.columns:
            raise unknown("column", name, [*manifest.columns, DURATION_BUCKET], where=str(manifest))
    read = list(dict.fromkeys([UTT_ID, DURATION, *asked]))
    rows = workspace.scan(manifest, read)
    rows = rows.take(pc.index_in(pairing.utt_ids, rows[UTT_ID]))
    seconds = rows[DURATION].to_numpy().astype(np.float64)
    found = {DURATION_BUCKET: by_duration(seconds)}
    return found | {name: by_column(name, rows[name]) for name in asked}


def _exposure(
    workspace: Workspace,
    train: ManifestVersion,
    newer: Scoring,
    measured: Measured,
    pairing: Pairing,
) -> Exposure:
    terms = pc.unique(measured.after.terms["term"]).to_pylist()
    return find_exposure(workspace, train, newer.manifest, pairing.after, terms, newer.normaliser())


def _by_term(
    newer: Scoring, plan: ComparePlan, pairing: Pairing, measured: Measured, exposure: Exposure
) -> pa.Table:
    """Return the KER of terms that are unseen in training and of seen ones."""
    terms = pair_terms(pairing, measured.before.terms, measured.after.terms)
    blocking = block_rows(terms.after["block"], seed=plan.seed)
    changes = Changes(terms, blocking, plan.replicates, plan.seed)
    grouping = exposure.term_grouping(terms.after["term"], newer.normaliser())
    return changes.table("ker", grouping)


def _notes(plan: ComparePlan, pairing: Pairing, exposure: Exposure | None) -> list[str]:
    notes = []
    if pairing.only_before or pairing.only_after:
        notes.append(
            f"left out: {pairing.only_before:,} utterances that only the first round has, "
            f"{pairing.only_after:,} that only the second has"
        )
    if exposure:
        notes += [exposure.summary(), *exposure.notes]
    else:
        notes.append("whether the model was trained on these rows is not known: --train MANIFEST")
    if not plan.guards:
        notes.append("no guard set was named: what the round forgot is not judged")
    return notes


def _store(
    workspace: Workspace, result: Comparison, rounds: list[Scoring], plan: ComparePlan
) -> None:
    groups = result.deltas.add_column(0, "run_id", pa.repeat(result.run_id, len(result.deltas)))
    workspace.append(GROUPS_TABLE, groups.cast(GROUPS))
    target = result.target
    row: dict[str, Any] = {
        "run_id": result.run_id,
        "compared": dt.datetime.now(dt.UTC),
        "manifest": rounds[1].manifest.name,
        "manifest_version": rounds[1].manifest.version,
        "before": result.before,
        "after": result.after,
        "before_run_id": rounds[0].run_id,
        "after_run_id": rounds[1].run_id,
        "metric": target.metric,
        "target": target.scope,
        "rows": target.rows,
        "before_rate": target.before,
        "after_rate": target.after,
        **{name: getattr(target, name) for name in ("change", "low", "high", "relative")},
        "verdict": str(result.decision.verdict),
        "reasons": [f"{reason.code}: {reason.message}" for reason in result.decision.reasons],
        "go": None if result.outcome is None else str(result.outcome.go),
        "mapsswe_p": result.mapsswe.p,
        "mcnemar_p": result.mcnemar.p,
        "replicates": plan.replicates,
        "seed": plan.seed,
        "asrdq_version": asrdq.__version__,
    }
    workspace.append(TABLE, pa.Table.from_pylist([row], schema=COMPARISONS))
