"""A plan as it is shown: its figures, and one row an item with the sum behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.planning.batch import BatchAdvice
from asrdq.planning.cost import Cost, Stored, WallTime
from asrdq.planning.findings import Finding, Level
from asrdq.planning.hardware import Choice, Gpus
from asrdq.planning.kept import Kept
from asrdq.planning.memory import Memory
from asrdq.planning.slips import Slip
from asrdq.planning.steps import Steps
from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("section", "item", "value", "why")

Line = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Mixed:
    """A group of the data, by its value at each level, and how often it is seen.

    Attributes:
        group: Its values, the outer level first.
        rows: Rows that are kept.
        hours: Their audio.
        probability: That a draw comes from it.
        repeats: How often each of its clips comes in an epoch.
    """

    group: tuple[str, ...]
    rows: int
    hours: float
    probability: float
    repeats: float


@dataclass(frozen=True)
class Plan(Result):
    """A training run before it is paid for.

    Attributes:
        manifest: The manifest version.
        fingerprint: Its fingerprint.
        recipe: The name of the recipe.
        gpus: The GPUs.
        usual: What others take for such a model.
        kept: Rows and hours that the loader keeps, and what it drops by reason.
        mixed: The innermost groups, where the recipe mixes by temperature.
        steps: Batches, steps, validation, warm-up.
        batch: The batch that suits the memory.
        memory: Memory of each GPU, for each stage.
        time: How long it takes.
        cost: What it costs.
        disk: What it needs on the disk.
        slips: Figures that the recipe states and that do not follow from its values.
        findings: What to know before the run, the gravest first.
        table: One row an item: section, item, value, why.
    """

    main_table: ClassVar[str] = "table"

    manifest: str
    fingerprint: str
    recipe: str
    gpus: Gpus
    usual: tuple[Choice, ...]
    kept: Kept
    mixed: tuple[Mixed, ...]
    steps: Steps
    batch: BatchAdvice
    memory: tuple[Memory, ...]
    time: WallTime
    cost: Cost
    disk: tuple[Stored, ...]
    slips: tuple[Slip, ...]
    findings: tuple[Finding, ...]

    @property
    def table(self) -> pa.Table:
        """The plan as rows: section, item, value, why."""
        return _table(self)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings with which the run fails, or is not the one that is meant."""
        return tuple(each for each in self.findings if each.level is Level.ERROR)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON types, with sums that its parts have as properties."""
        body = super().to_dict()
        body["kept"]["mean_s"] = self.kept.mean_s
        for stage, shown in zip(self.memory, body["memory"], strict=True):
            shown |= {"total_gb": stage.total_gb, "fits": stage.fits}
        body["time"]["hours"] = self.time.hours
        return body

    def summary(self) -> str:
        """Return the plan in a few lines."""
        hours, usd = self.time.hours, self.cost.usd
        lines = [
            f"{self.recipe} on {self.manifest} with {self.gpus}",
            f"{self.kept.rows:,} rows, {self.kept.hours:,.1f} h are kept; "
            f"{self.steps.steps_per_epoch:,} steps an epoch, {self.steps.steps:,} in all",
            f"{max(each.total_gb for each in self.memory):.1f} of {self.gpus.memory_gb:g} GB",
            f"{'time not known' if hours is None else f'{hours:.1f} h'}, "
            f"{'cost not known' if usd is None else f'{usd:,.2f} USD'}",
        ]
        return "\n".join([*lines, *(f"{each.level}: {each}" for each in self.findings)])


def _table(plan: Plan) -> pa.Table:
    """Return a plan as rows: section, item, value and why, all of them text."""
    import pyarrow as pa

    lines = [
        *_data(plan),
        *_steps(plan),
        *(("gpus", choice.gpus, choice.use, "") for choice in plan.usual),
        *_batch(plan),
        *(line for stage in plan.memory for line in _memory(stage)),
        *_money(plan),
        *_disk(plan),
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


def _disk(plan: Plan) -> Iterator[Line]:
    for part in plan.disk:
        yield "disk", part.name, f"{part.gb:,.1f} GB", part.why
    kept = f"{plan.cost.disk_usd_per_month:,.2f} USD a month where a stopped machine keeps it"
    yield "disk", "total", f"{sum(part.gb for part in plan.disk):,.1f} GB", kept
