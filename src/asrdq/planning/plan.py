"""The plan of a training run: what the loader keeps, steps, memory, time, cost, disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.errors import unknown
from asrdq.planning.batch import BatchAdvice, advise_batch, longest_s, memory_findings
from asrdq.planning.cost import (
    Cost,
    Stored,
    WallTime,
    cost_findings,
    cost_of,
    disk_of,
    wall_time,
)
from asrdq.planning.findings import Finding, Level, error, warning
from asrdq.planning.hardware import (
    PRICES_FILE,
    Gpus,
    Hardware,
    Prices,
    parse_gpus,
    read_hardware,
    read_prices,
)
from asrdq.planning.kept import Kept, count_kept, kept_groups
from asrdq.planning.memory import Memory, estimate_memory
from asrdq.planning.slips import Slip, find_slips
from asrdq.planning.steps import Steps, count_steps, step_findings
from asrdq.planning.table import plan_table
from asrdq.recipes.reading import read_recipe
from asrdq.recipes.recipe import DataSection, Recipe
from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.places import Place
    from asrdq.workspace import ManifestVersion, Workspace

MUCH_DROPPED = 0.05
"""From this share of the rows on, what the loader drops is called out."""


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
        return plan_table(self)

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


@dataclass(frozen=True, slots=True)
class Setting:
    """What a plan is made with, beside the data.

    Attributes:
        recipe: The recipe.
        gpus: The GPUs.
        hardware: What is known of them.
        prices: What machines cost.
        machine: The machine to take; None: the first that fits.
        clips_per_second: A speed that was measured, on all GPUs together.
    """

    recipe: Recipe
    gpus: Gpus
    hardware: Hardware = field(repr=False)
    prices: Prices = field(repr=False)
    machine: str | None = None
    clips_per_second: float | None = None

    def plan(self, kept: Kept, today: dt.date) -> _Numbers:
        """Return all that follows from the data that is kept."""
        steps = count_steps(self.recipe, self.gpus.count, kept)
        time = wall_time(
            self.recipe,
            self.gpus,
            self.hardware,
            kept,
            steps,
            clips_per_second=self.clips_per_second,
        )
        batch = advise_batch(self.recipe, self.gpus, self.hardware, steps, kept.longest_s)
        memory = self._memory(kept)
        cost = cost_of(self.gpus, self.prices, time, self.machine)
        slips = tuple(find_slips(self.recipe))
        findings = [
            *(error(f"stated.{slip.figure}", str(slip)) for slip in slips),
            *_kept_findings(kept),
            *memory_findings(self.recipe, self.gpus, memory, batch),
            *step_findings(self.recipe, steps),
            *cost_findings(self.gpus, self.prices, cost, time, today),
        ]
        ranked = sorted(findings, key=lambda each: list(Level).index(each.level))
        disk = disk_of(self.recipe, self.hardware, kept)
        return _Numbers(steps, batch, memory, time, cost, disk, slips, tuple(ranked))

    def _memory(self, kept: Kept) -> tuple[Memory, ...]:
        data = self.recipe.data
        if data.batch_size is None:
            longest = typical = data.batch_duration_s or 0.0
        else:
            longest = data.batch_size * longest_s(self.recipe, kept.longest_s)
            typical = data.batch_size * kept.mean_s
        return tuple(
            estimate_memory(
                self.recipe,
                self.gpus,
                self.hardware,
                batch_s=longest,
                typical_s=typical,
                stage=stage,
            )
            for stage in self.recipe.stages or (None,)
        )


@dataclass(frozen=True, slots=True)
class _Numbers:
    steps: Steps
    batch: BatchAdvice
    memory: tuple[Memory, ...]
    time: WallTime
    cost: Cost
    disk: tuple[Stored, ...]
    slips: tuple[Slip, ...]
    findings: tuple[Finding, ...]


def plan_training(
    workspace: Workspace,
    manifest: ManifestVersion,
    recipe: str | Place | Recipe,
    gpus: str,
    *,
    machine: str | None = None,
    clips_per_second: float | None = None,
    today: dt.date | None = None,
) -> Plan:
    """Plan a training run on a manifest.

    Args:
        workspace: Where the manifest is, and the files that are laid over the shipped settings.
        manifest: The training manifest.
        recipe: A recipe, its name, or the path of its file.
        gpus: Such as `2xA100-40`.
        machine: The machine of `prices.yaml` to take; None: the first that fits.
        clips_per_second: A speed that was measured, on all GPUs together.
        today: The day that the age of prices is counted to.

    Raises:
        UsageError: The recipe, the GPUs or the machine are not known, a file has problems, or
            the manifest lacks a column that the recipe mixes by.
        DataError: The loader would keep nothing.
    """
    read = recipe if isinstance(recipe, Recipe) else read_recipe(recipe, workspace)
    hardware, prices = read_hardware(workspace), read_prices(workspace)
    if machine is not None and prices.machines.get(machine) is None:
        raise unknown("machine", machine, prices.machines, where=PRICES_FILE)
    setting = Setting(read, parse_gpus(gpus, hardware), hardware, prices, machine, clips_per_second)
    kept = count_kept(workspace, manifest, read.data)
    numbers = setting.plan(kept, today or dt.date.today())
    return Plan(
        manifest=str(manifest),
        fingerprint=manifest.fingerprint,
        recipe=read.name,
        gpus=setting.gpus,
        kept=kept,
        mixed=_mixed(workspace, manifest, read.data),
        steps=numbers.steps,
        batch=numbers.batch,
        memory=numbers.memory,
        time=numbers.time,
        cost=numbers.cost,
        disk=numbers.disk,
        slips=numbers.slips,
        findings=numbers.findings,
    )


def _mixed(workspace: Workspace, manifest: ManifestVersion, data: DataSection) -> tuple[Mixed, ...]:
    from asrdq.sampling.weights import nested_weights

    if not data.mix_by:
        return ()
    leaves = kept_groups(workspace, manifest, data)
    whole = sum(leaf.hours for leaf in leaves)
    weighed = nested_weights(leaves, [data.temperature] * len(data.mix_by))
    return tuple(
        Mixed(
            tuple(row["group"]),
            row["rows"],
            row["hours"],
            row["probability"],
            row["probability"] * whole / row["hours"],
        )
        for row in weighed
        if row["level"] == len(data.mix_by)
    )


def _kept_findings(kept: Kept) -> Iterator[Finding]:
    rows = kept.rows + sum(each.rows for each in kept.dropped)
    lost = rows - kept.rows
    if lost > MUCH_DROPPED * rows:
        reasons = ", ".join(f"{each.reason} {each.rows:,}" for each in kept.dropped)
        yield warning("data", f"the loader drops {lost:,} of {rows:,} rows: {reasons}")
