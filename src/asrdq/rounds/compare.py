"""`asrdq compare`: two scored rounds, their differences, and what to do next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import asrdq
from asrdq import console
from asrdq.errors import UsageError
from asrdq.rounds.alignments import pair_errors
from asrdq.rounds.changed_rows import changed_rows
from asrdq.rounds.decision import decide
from asrdq.rounds.deltas import Changes
from asrdq.rounds.groups import everything
from asrdq.rounds.guards import judge_guard
from asrdq.rounds.history import former_relative
from asrdq.rounds.mapsswe import SegmentTest, mapsswe
from asrdq.rounds.material import Material, read_material
from asrdq.rounds.mcnemar import mcnemar
from asrdq.rounds.measuring import hold_criteria
from asrdq.rounds.pairing import METRICS, Pairing, pair_terms, word_error_counts
from asrdq.rounds.plan import ComparePlan
from asrdq.rounds.result import Comparison
from asrdq.rounds.schema import COMPARISONS, DELTAS, GROUPS, GROUPS_TABLE, TABLE
from asrdq.rounds.scored import find_rounds
from asrdq.rounds.speakers import speaker_rates, speaker_test

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

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
            those in common are enough, or a normaliser has changed since.
    """
    plan = plan or ComparePlan()
    if before == after:
        raise UsageError(f"'{before}' is compared with itself", hint="asrdq compare r1 r2")
    older, newer = find_rounds(workspace, [before, after], manifest)
    trained_on = workspace.manifest(plan.train).fingerprint if plan.train else None
    parameters = {
        **plan.parameters(),
        "scored": [older.run_id, newer.run_id],
        "train_fingerprint": trained_on,
    }
    with workspace.run(COMMAND, newer.manifest, parameters) as run:
        material = read_material(workspace, older, newer, plan, stage)
        result = _compare(workspace, run.run_id, material, plan, stage)
        _store(workspace, result, material, plan)
    return result


def _compare(
    workspace: Workspace, run_id: str, material: Material, plan: ComparePlan, stage: console.Stage
) -> Comparison:
    older, newer, pairing = material.older, material.newer, material.pairing
    changes = material.changes(plan)
    evaluation = material.evaluation(changes)
    target = evaluation.change(plan.metric, plan.target)
    guarded = [evaluation.change(plan.guard_metric, guard) for guard in plan.guards]
    for column in plan.guard_each:
        guarded += evaluation.each(plan.guard_metric, {}, column)
    guards = tuple(judge_guard(change, plan.margin) for change in guarded)
    former = former_relative(
        workspace,
        manifest=newer.manifest.name,
        before=older.hyps,
        metric=plan.metric,
        target=target.scope,
    )
    outcome = None
    if plan.criteria is not None:
        outcome = hold_criteria(workspace, plan.criteria, evaluation, plan.train)
        outcome = outcome.with_musts([guard.as_must() for guard in guards])
    wrong = [word_error_counts(rows) > 0 for rows in (pairing.before, pairing.after)]
    return Comparison(
        run_id=run_id,
        manifest=str(newer.manifest),
        before=older.hyps,
        after=newer.hyps,
        rows=len(pairing),
        blocks=str(changes.blocking),
        decision=decide(target, guards, former, plan.rules),
        target=target,
        guards=guards,
        outcome=outcome,
        ruler=material.measured.change,
        mapsswe=_segment_test(pairing, stage),
        mcnemar=mcnemar(*wrong),
        speakers=speaker_test(*speaker_rates(pairing)),
        notes=tuple(_notes(material, plan)),
        deltas=_deltas(material, changes, plan, stage),
        changed=changed_rows(pairing),
    )


def _deltas(
    material: Material, changes: Changes, plan: ComparePlan, stage: console.Stage
) -> pa.Table:
    """Return every metric in every group; KER also by whether terms were seen in training."""
    exposed = material.exposed()
    groupings = [everything(len(material.pairing)), *material.columns.values()]
    groupings += [exposed] if exposed else []
    tables = [DELTAS.empty_table()]
    with stage("compare groups", len(METRICS) * len(groupings), "groupings") as bar:
        for metric in METRICS:
            for grouping in groupings:
                tables.append(changes.table(metric, grouping))
                bar.advance(1)
    if material.exposure:
        measured = material.measured
        terms = pair_terms(material.pairing, measured.before.terms, measured.after.terms)
        names, normaliser = terms.after["term"], material.newer.normaliser()
        grouping = material.exposure.term_grouping(names, normaliser)
        tables.append(material.changes(plan, terms).table("ker", grouping))
    return pa.concat_tables(tables)


def _segment_test(pairing: Pairing, stage: console.Stage) -> SegmentTest:
    with stage("align words", 2 * len(pairing), "utterances") as bar:
        return mapsswe(*pair_errors(pairing.before, pairing.after, bar.advance))


def _notes(material: Material, plan: ComparePlan) -> Iterator[str]:
    pairing, exposure = material.pairing, material.exposure
    if pairing.only_before or pairing.only_after:
        yield (
            f"left out: {pairing.only_before:,} utterances that only the first round has, "
            f"{pairing.only_after:,} that only the second has"
        )
    if exposure:
        yield exposure.summary()
        yield from exposure.notes
    else:
        yield "whether the model was trained on these rows is not known: --train MANIFEST"
    if not plan.guards and not plan.guard_each:
        yield "no guard set was named: what the round forgot is not judged"


def _store(workspace: Workspace, result: Comparison, material: Material, plan: ComparePlan) -> None:
    groups = result.deltas.add_column(0, "run_id", pa.repeat(result.run_id, len(result.deltas)))
    workspace.append(GROUPS_TABLE, groups.cast(GROUPS))
    target = result.target
    row: dict[str, Any] = {
        "run_id": result.run_id,
        "compared": dt.datetime.now(dt.UTC),
        "manifest": material.newer.manifest.name,
        "manifest_version": material.newer.manifest.version,
        "before": result.before,
        "after": result.after,
        "before_run_id": material.older.run_id,
        "after_run_id": material.newer.run_id,
        "metric": target.metric,
        "target": target.scope,
        "rows": target.rows,
        "before_rate": target.before,
        "after_rate": target.after,
        **{name: getattr(target, name) for name in ("change", "low", "high", "relative")},
        "verdict": str(result.decision.verdict),
        "reasons": [f"{reason.code}: {reason.message}" for reason in result.decision.reasons],
        "go": None if result.outcome is None else str(result.outcome.go),
        "criteria": None if result.outcome is None else [str(e) for e in result.outcome.judged],
        "mapsswe_p": result.mapsswe.p,
        "mcnemar_p": result.mcnemar.p,
        "replicates": plan.replicates,
        "seed": plan.seed,
        "asrdq_version": asrdq.__version__,
    }
    workspace.append(TABLE, pa.Table.from_pylist([row], schema=COMPARISONS))
