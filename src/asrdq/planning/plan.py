"""The plan of a training run: what the loader keeps, steps, memory, time, cost, disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.planning.batch import BatchAdvice, advise_batch, in_memory_s, memory_findings
from asrdq.planning.cost import (
    Cost,
    Stored,
    WallTime,
    cost_findings,
    cost_of,
    disk_of,
    wall_time,
)
from asrdq.planning.findings import Finding, Level, error, note, warning
from asrdq.planning.hardware import (
    Choice,
    Gpus,
    Hardware,
    check_machines,
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
from asrdq.sampling.weights import nested_weights

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
        return plan_table(self)

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
        UsageError: The recipe, the GPUs or the machine are not known, the machine has other
            GPUs, a file has problems, or the manifest lacks a column that the recipe mixes by.
        DataError: The loader would keep nothing.
    """
    read = recipe if isinstance(recipe, Recipe) else read_recipe(recipe, workspace)
    hardware, prices = read_hardware(workspace), read_prices(workspace)
    chosen = parse_gpus(gpus, hardware)
    check_machines(prices, hardware, chosen, machine)
    kept = count_kept(workspace, manifest, read.data)
    steps = count_steps(read, chosen.count, kept)
    memory = _memory(read, chosen, hardware, kept)
    batch = advise_batch(read, chosen, hardware, steps, kept.longest_s)
    time = wall_time(read, chosen, hardware, kept, steps, clips_per_second=clips_per_second)
    cost = cost_of(chosen, prices, time, machine)
    slips, mixed = tuple(find_slips(read)), _mixed(workspace, manifest, read.data)
    findings = [
        *(error(f"stated.{slip.figure}", str(slip)) for slip in slips),
        *_data_findings(read, manifest, kept, mixed),
        *memory_findings(read, chosen, memory, batch),
        *step_findings(read, steps),
        *cost_findings(chosen, prices, cost, time, today or dt.date.today()),
    ]
    return Plan(
        manifest=str(manifest),
        fingerprint=manifest.fingerprint,
        recipe=read.name,
        gpus=chosen,
        usual=hardware.usual(read.model.family, read.model.parameters),
        kept=kept,
        mixed=mixed,
        steps=steps,
        batch=batch,
        memory=memory,
        time=time,
        cost=cost,
        disk=disk_of(read, hardware, kept),
        slips=slips,
        findings=tuple(sorted(findings, key=lambda each: list(Level).index(each.level))),
    )


def _memory(recipe: Recipe, gpus: Gpus, hardware: Hardware, kept: Kept) -> tuple[Memory, ...]:
    """Return the memory of each stage, for batches of the longest clips and of mean ones."""
    size, seconds = recipe.data.batch_size, recipe.data.batch_duration_s
    longest = typical = seconds or 0.0
    if size is not None:
        longest = size * in_memory_s(recipe, kept.longest_s)
        typical = size * in_memory_s(recipe, kept.mean_s)
    return tuple(
        estimate_memory(recipe, gpus, hardware, batch_s=longest, typical_s=typical, stage=stage)
        for stage in recipe.stages or (None,)
    )


def _mixed(workspace: Workspace, manifest: ManifestVersion, data: DataSection) -> tuple[Mixed, ...]:
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


def _data_findings(
    recipe: Recipe, manifest: ManifestVersion, kept: Kept, mixed: tuple[Mixed, ...]
) -> Iterator[Finding]:
    domain = recipe.evaluation.domain_column
    if domain is not None and domain not in manifest.columns:
        text = f"{manifest} has no column '{domain}': nothing is scored apart"
        yield warning("evaluation.domain_column", text)
    if len(mixed) == 1:
        text = f"{' / '.join(mixed[0].group)} is the only group: there is nothing to mix"
        yield note("data.mix_by", text)
    rows = kept.rows + sum(each.rows for each in kept.dropped)
    lost = rows - kept.rows
    if lost > MUCH_DROPPED * rows:
        reasons = ", ".join(f"{each.reason} {each.rows:,}" for each in kept.dropped)
        yield warning("data", f"the loader drops {lost:,} of {rows:,} rows: {reasons}")
