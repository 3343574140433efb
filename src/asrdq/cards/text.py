"""The card in Markdown: what a user of the model has to know, each figure with its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import asrdq
from asrdq.cards.front_matter import base_on_hub, front_matter
from asrdq.cards.limits import limits
from asrdq.cards.measured import Standing
from asrdq.cards.wording import per_cent, table, with_interval
from asrdq.handoff.readme import inline
from asrdq.rounds.exposure import HELD_OUT

if TYPE_CHECKING:
    from asrdq.cards.evidence import Evidence
    from asrdq.cards.measured import Measured
    from asrdq.cards.objections import Objection
    from asrdq.cards.plan import CardPlan


def card_text(evidence: Evidence, against: Sequence[Objection], plan: CardPlan, name: str) -> str:
    """Return the whole card.

    Args:
        evidence: What the tables say.
        against: What stands against publishing.
        plan: How the card was asked for.
        name: Name of the model.

    Raises:
        ToolError: huggingface_hub is not installed.
    """
    parts = [
        f"---\n{front_matter(evidence, name, plan.license).strip()}\n---\n",
        *_head(evidence, name),
        *_standing(against, plan),
        *_rates(evidence),
        *_decisions(evidence),
        *_data(evidence),
        *_training(evidence),
        *_section("Known limits", [f"- {each}" for each in limits(evidence, plan.license)]),
        *_sources(evidence),
    ]
    return "\n".join(parts) + "\n"


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"## {title}\n"
        yield from lines
        yield ""


def _head(evidence: Evidence, name: str) -> Iterator[str]:
    run = evidence.run
    base = base_on_hub(evidence)
    start = f"[{base}](https://huggingface.co/{base})" if base else f"`{_last(run.base)}`"
    spoken = ", ".join(f"`{inline(each)}`" for each in evidence.languages) or "not stated"
    yield f"# {inline(name)}\n"
    yield f"Speech recognition, fine-tuned from {start}. Language of the training rows: {spoken}.\n"


def _last(path: str) -> str:
    """Return the name of a folder or file: where it lies is nobody's business."""
    return path.rstrip("/").rpartition("/")[2]


def _standing(against: Sequence[Objection], plan: CardPlan) -> Iterator[str]:
    if not against:
        return
    lines = [f"- {inline(each)}" for each in against]
    if plan.override is not None:
        lines.append(
            f"- published all the same; {inline(plan.by)} answers for it: {inline(plan.override)}"
        )
    yield from _section("What stands against it", lines)


def _rates(evidence: Evidence) -> Iterator[str]:
    lines: list[str] = []
    for one in evidence.measured:
        lines += [
            f"### {inline(one.manifest)}: {_WORDS[one.standing]}\n",
            f"Set `{inline(one.scoring.hyps)}`, normaliser `{one.scoring.normaliser}` "
            f"{one.scoring.normaliser_version}, transcriber `{inline(one.search)}`.\n",
            *_rates_of(one),
            "",
        ]
    yield from _section("Error rates", lines or ["Not measured."])


_WORDS = {
    Standing.HELD_OUT: "held out from the training",
    Standing.PARTLY: "some rows were trained on; these rates say little, see the held-out ones",
    Standing.TRAINED_ON: "what it was trained on, which is no measure of quality",
    Standing.UNKNOWN: "whether it was trained on these rows is not known",
}


def _rates_of(one: Measured) -> Iterator[str]:
    rows = [
        [
            f"{row['grouped_by']}: {row['member']}" if row["grouped_by"] else "all",
            row["metric"].upper(),
            with_interval(row["rate"], row["low"], row["high"]),
            f"{row['units']:,.0f}",
            f"{row['blocks']:,} ({row['blocked_by']})",
        ]
        for row in one.rates
    ]
    found = one.compared.exposure("wer", HELD_OUT) if one.compared else None
    if one.standing is Standing.PARTLY and found is not None:
        rows.insert(0, [HELD_OUT, "WER", per_cent(found["after"]), f"{found['rows']:,} rows", ""])
    return table(["rows", "rate", "% (95 % interval)", "of", "blocks"], rows)


def _decisions(evidence: Evidence) -> Iterator[str]:
    lines: list[str] = []
    for one in evidence.measured:
        if one.compared is None:
            continue
        row = one.compared.row
        go = f", {row['go']}" if row["go"] else ""
        lines += [
            f"**{row['verdict']}{go}**: {inline(row['before'])} → {inline(row['after'])} on "
            f"{inline(row['manifest'])}@{row['manifest_version']}\n",
            *(f"- {inline(each)}" for each in row["reasons"]),
            *(f"- {inline(each)}" for each in row["criteria"] or ()),
            "",
            *table(
                ["rows", "rate", "n", "before %", "after %", "change, points (95 % interval)"],
                [
                    [
                        f"{each['by']}: {each['group']}" if each["by"] else each["group"],
                        each["metric"].upper(),
                        f"{each['rows']:,}",
                        per_cent(each["before"]),
                        per_cent(each["after"]),
                        with_interval(each["change"], each["low"], each["high"], signed=True),
                    ]
                    for each in one.compared.groups
                ],
            ),
            "",
        ]
    yield from _section("Against the model before", lines)


def _data(evidence: Evidence) -> Iterator[str]:
    run, handoff, decision = evidence.run, evidence.handoff, evidence.decision
    if handoff is None:
        yield from _section("Data", ["This workspace did not hand the data off."])
        return
    rows = [
        [
            side,
            inline(handoff[side]),
            f"`{handoff[f'{side}_fingerprint'][:12]}`",
            f"{handoff[f'{side}_rows']:,}",
            f"{handoff[f'{side}_hours']:,.4g}",
            handoff[f"{side}_verdict"] or "not asked",
        ]
        for side in ("train", "validation")
    ]
    lines = [*table(["side", "version", "content", "rows", "hours", "gate"], rows), ""]
    used = run.train.used
    if used is not None:
        lines.append(
            f"Trained on {used.rows:,} rows, {used.hours:,.4g} h, as counted by the loader."
        )
    lines.append(f"Hand-off `{run.bundle_id}`, {handoff['handed_off']:%Y-%m-%d}.\n")
    if decision is not None:
        rate = with_interval(decision["rate"], decision["low"], decision["high"])
        lines.append(
            f"The gate said **{decision['verdict']}** on {decision['decided']:%Y-%m-%d}: "
            f"{rate} % of the clips are of low quality ({decision['deciding_rate']} rate), by "
            f"policy `{decision['policy_hash'][:12]}`."
        )
        lines += [f"- waived: {inline(each)}" for each in decision["waived"] or ()]
    lines += [
        f"- {each['verdict']} accepted by {inline(each['signed_by'])}, "
        f"{each['recorded']:%Y-%m-%d}: {inline(each['note'])}"
        for each in evidence.signoffs
    ] or ["Nobody has signed the verdict."]
    yield from _section("Data", lines)


def _training(evidence: Evidence) -> Iterator[str]:
    run = evidence.run
    epochs = "" if run.epochs is None else f", {run.epochs:.4g} epochs"
    trains = ""
    if run.parameters is not None and run.trainable is not None:
        trains = f" {run.trainable:,} of {run.parameters:,} parameters trained."
    lines = [
        f"Recipe `{run.recipe}` (`{run.recipe_sha256[:12]}`), backend {run.backend}, "
        f"seed {run.seed}: {run.steps or 0:,} of {run.total_steps:,} steps{epochs}, "
        f"{run.wall_s:,.0f} s on {run.device}, {len(run.attempts)} attempts.{trains}\n",
        *(f"- let pass: {inline(each.rule)}: {inline(each.message)}" for each in run.allowed),
        *(f"- {inline(each)}" for each in run.findings),
        "",
        *table(
            ["of", "metric", "value", "at step"],
            [
                [row["split"], inline(row["metric"]), f"{row['value']:.4g}", f"{row['step']:,}"]
                for row in evidence.curves
            ],
        ),
        "",
        "The last loss of the training; the lowest of each rate and loss of the validation.",
        "",
        ", ".join(f"{package} {release}" for package, release in run.versions.items()),
    ]
    yield from _section("Training", lines)


def _sources(evidence: Evidence) -> Iterator[str]:
    rows = [["`training_run_info.json`, `train_runs`, `train_metrics`", inline(evidence.run.name)]]
    if evidence.handoff is not None:
        rows.append(["`handoffs`", evidence.handoff["run_id"]])
    if evidence.decision is not None:
        rows.append(["`decisions`", evidence.decision["run_id"]])
        rows.append(["`audits`", evidence.decision["audit_run_id"]])
    for one in evidence.measured:
        rows.append(["`score_groups`", one.scoring.run_id])
        if one.compared is not None:
            rows.append(["`comparisons`, `comparison_groups`", one.compared.row["run_id"]])
    lines = [
        f"Written by asrdq {asrdq.__version__} from its tables; the weights are those with the "
        f"content `{evidence.model_hash}`.\n",
        *table(["table", "run"], rows),
    ]
    yield from _section("Where the figures are from", lines)
