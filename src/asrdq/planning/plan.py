"""The plan of a training run: what the loader keeps, steps, memory, time, cost, disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from asrdq.planning.batch import advise_batch, in_memory_s, memory_findings
from asrdq.planning.cost import (
    cost_findings,
    cost_of,
    disk_of,
    wall_time,
)
from asrdq.planning.findings import Finding, Level, error, note, warning
from asrdq.planning.hardware import (
    Gpus,
    Hardware,
    check_machines,
    parse_gpus,
    read_hardware,
    read_prices,
)
from asrdq.planning.kept import Dropped, Kept, count_kept, kept_groups
from asrdq.planning.memory import Memory, estimate_memory
from asrdq.planning.planned import Mixed, Plan
from asrdq.planning.slips import find_slips
from asrdq.planning.steps import count_steps, step_findings
from asrdq.recipes.reading import read_recipe
from asrdq.recipes.recipe import DataSection, Recipe
from asrdq.sampling.weights import nested_weights

if TYPE_CHECKING:
    from asrdq.places import Place
    from asrdq.workspace import ManifestVersion, Workspace

MUCH_DROPPED = 0.05
"""From this share of the rows on, what the loader drops is called out."""


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
    disk = disk_of(read, hardware, kept)
    cost = cost_of(chosen, prices, time, disk, machine)
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
        disk=disk,
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
        too_long = any(each.reason is Dropped.TOO_LONG and each.rows for each in kept.dropped)
        mend = "; asrdq cut makes pieces of long ones" if too_long else ""
        yield warning("data", f"the loader drops {lost:,} of {rows:,} rows: {reasons}{mend}")
