"""A plan as a table: one row an item, with the sum behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.planning.memory import Memory
    from asrdq.planning.plan import Plan

COLUMNS = ("section", "item", "value", "why")

Line = tuple[str, str, str, str]


def plan_table(plan: Plan) -> pa.Table:
    """Return a plan as rows: section, item, value and why, all of them text."""
    import pyarrow as pa

    lines = [
        *_data(plan),
        *_steps(plan),
        *(("gpus", choice.gpus, choice.use, "") for choice in plan.usual),
        *_batch(plan),
        *(line for stage in plan.memory for line in _memory(stage)),
        *_money(plan),
        *(("disk", part.name, f"{part.gb:,.1f} GB", part.why) for part in plan.disk),
        ("disk", "total", f"{sum(part.gb for part in plan.disk):,.1f} GB", ""),
    ]
    columns = [pa.array([line[place] for line in lines], pa.string()) for place in range(4)]
    return pa.table(dict(zip(COLUMNS, columns, strict=True)))


def _data(plan: Plan) -> Iterator[Line]:
    kept = plan.kept
    yield "data", "kept", f"{kept.rows:,} rows", f"{kept.hours:,.2f} h of {plan.manifest}"
    yield "data", "clip", f"{kept.mean_s:.1f} s", f"on average; the longest {kept.longest_s:.1f} s"
    for part in kept.dropped:
        yield "data", f"dropped: {part.reason}", f"{part.rows:,} rows", f"{part.hours:,.2f} h"
    for group in plan.mixed:
        share = f"{group.probability:.4f} of the draws"
        why = f"{group.hours:,.2f} h, each clip {group.repeats:.2f} times an epoch"
        yield "data", f"mixed: {' / '.join(group.group)}", share, why


def _steps(plan: Plan) -> Iterator[Line]:
    steps = plan.steps
    if steps.batch_size is not None:
        how = f"{steps.batch_size} clips × accumulation {steps.accumulation} × GPUs {steps.gpus}"
        yield "steps", "effective batch", f"{steps.clips_a_step:,.0f} clips", how
        mean = f"{plan.kept.rows:,} rows ÷ {steps.clips_a_step:,.0f}"
        yield "steps", "audio of a step", f"{steps.seconds_a_step:,.1f} s", "on average"
    else:
        how = (
            f"{steps.batch_duration_s:,g} s × accumulation {steps.accumulation} × GPUs {steps.gpus}"
        )
        length = (steps.batch_duration_s or 0.0) * steps.accumulation * steps.gpus
        yield "steps", "effective batch", f"{length:,.0f} s", how
        mean = f"{plan.kept.loaded_hours * 3600:,.0f} s ÷ {length:,.0f} s"
        yield "steps", "clips of a step", f"{steps.clips_a_step:,.1f}", "on average"
    yield "steps", "steps an epoch", f"{steps.steps_per_epoch:,}", mean
    yield "steps", "steps", f"{steps.steps:,}", f"{steps.epochs:.2f} epochs"
    for number, start in enumerate(steps.stage_starts, 1):
        yield "steps", f"stage {number}", f"after step {start:,}", ""
    advised = f"{steps.validation_advised:,} by evaluation.per_epoch; {steps.validations:,} in all"
    yield "steps", "validation", f"every {steps.validation_interval:,} steps", advised
    low, high = steps.log_advised
    fits = f"{low:,} to {high:,} give 10 to 20 lines a validation"
    yield "steps", "log", f"every {steps.log_every:,} steps", fits
    suits = f"{steps.warmup_advised:,} suit this data"
    yield "steps", "warm-up", f"{steps.warmup:,} steps", suits


def _batch(plan: Plan) -> Iterator[Line]:
    batch = plan.batch
    seen = "" if batch.seen is None else f"; {batch.seen} was the choice on as much memory or more"
    why = f"{batch.computed:,g} by the estimate{seen}"
    yield "memory", "batch that fits", f"{batch.fitting:,g} {batch.unit}", why


def _memory(stage: Memory) -> Iterator[Line]:
    where = f"memory, {stage.stage}"
    for part in stage.components:
        yield where, part.name, f"{part.gb:.1f} GB", part.why
    spread = f"{stage.low_gb:.1f} to {stage.high_gb:.1f}; alarm at {stage.alarm_gb:.1f} GB"
    yield where, "total", f"{stage.total_gb:.1f} GB", spread
    if stage.typical_gb is not None:
        yield where, "typical", f"{stage.typical_gb:.1f} GB", "with clips of mean length"


def _money(plan: Plan) -> Iterator[Line]:
    time, cost = plan.time, plan.cost
    if time.training_hours is not None:
        yield "time", "training", f"{time.training_hours:.2f} h", time.why
        yield "time", "step", f"{time.seconds_a_step:.3f} s", ""
        parts = f"evaluation {time.evaluation_hours:g} h, reserve {time.reserve_hours:g} h"
        yield "time", "total", f"{time.hours:.2f} h", parts
    else:
        yield "time", "training", "not known", time.why
    if not cost.offers:
        yield "cost", "total", "not known", f"no price of {plan.gpus}"
    for offer in cost.offers:
        usd = "not known" if offer.usd is None else f"{offer.usd:,.2f} USD"
        yield "cost", offer.machine, usd, f"{offer.usd_per_hour:.2f} an hour, {offer.entered}"
    if cost.idle_usd is not None:
        yield "cost", "idle", f"{cost.idle_usd:,.2f} USD", f"{cost.idle_hours:g} h forgotten"
