"""How long a run takes, what it costs, and what it leaves on the disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asrdq.planning.findings import Finding, note, warning
from asrdq.planning.hardware import Gpus, Hardware, Prices, Speed
from asrdq.planning.kept import Kept
from asrdq.planning.memory import GB, PRECISIONS, trained_parameters
from asrdq.planning.steps import Steps
from asrdq.recipes.recipe import Recipe

FP32_SLOWER = 2.0
"""How many times as long a step takes in fp32; the speeds are those of half precision."""


@dataclass(frozen=True, slots=True)
class WallTime:
    """How long the run takes; None where no speed is known.

    Attributes:
        training_hours: The steps themselves.
        evaluation_hours: Evaluation afterwards, from the recipe.
        reserve_hours: For restarts, from the recipe.
        seconds_a_step: Of the training.
        why: Where the speed is from.
    """

    training_hours: float | None
    evaluation_hours: float
    reserve_hours: float
    seconds_a_step: float | None
    why: str

    @property
    def hours(self) -> float | None:
        """All hours that are paid for."""
        if self.training_hours is None:
            return None
        return self.training_hours + self.evaluation_hours + self.reserve_hours


@dataclass(frozen=True, slots=True)
class Offer:
    """A machine that fits, what it costs an hour and for the run; cost None without a time."""

    machine: str
    usd_per_hour: float
    entered: dt.date
    usd: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the run costs.

    Attributes:
        usd_per_hour: Of the first machine that fits; None if none does.
        usd: Of the run; None without a price or a time.
        idle_hours: Hours a forgotten machine runs.
        idle_usd: What they cost.
        offers: All machines that fit, in the order of the table.
        disk_usd_per_month: Of the disk alone, where it is kept while the machine is stopped.
    """

    usd_per_hour: float | None
    usd: float | None
    idle_hours: float
    idle_usd: float | None
    offers: tuple[Offer, ...]
    disk_usd_per_month: float


@dataclass(frozen=True, slots=True)
class Stored:
    """Something that lies on the disk, in GB, and how it came about."""

    name: str
    gb: float
    why: str


def wall_time(
    recipe: Recipe,
    gpus: Gpus,
    hardware: Hardware,
    kept: Kept,
    steps: Steps,
    *,
    clips_per_second: float | None = None,
) -> WallTime:
    """Return how long a run takes.

    Args:
        recipe: The recipe.
        gpus: On what.
        hardware: Speeds that were seen.
        kept: The data of an epoch.
        steps: The steps.
        clips_per_second: A speed that was measured, on all GPUs together.
    """
    budget = recipe.budget
    seconds, why = _seconds(recipe, gpus, hardware, kept, clips_per_second)
    if seconds is not None:
        seconds *= steps.epochs
    return WallTime(
        training_hours=None if seconds is None else seconds / 3600,
        evaluation_hours=budget.evaluation_hours,
        reserve_hours=budget.reserve_hours,
        seconds_a_step=None if seconds is None else seconds / steps.steps,
        why=why,
    )


def _seconds(
    recipe: Recipe, gpus: Gpus, hardware: Hardware, kept: Kept, given: float | None
) -> tuple[float | None, str]:
    """Return the seconds of an epoch, and where the speed is from."""
    if given is not None:
        return kept.rows / given, f"{given:g} clips a second, as given"
    found = _speed(recipe, gpus, hardware)
    if found is None:
        return None, f"no speed of a {recipe.model.family} model is known: --clips-per-second"
    name, speed = found
    factor, scaled = 1.0, ""
    was, now = hardware.gpu(speed.gpu).bf16_tflops, gpus.bf16_tflops
    if speed.gpu != gpus.name:
        if not was or not now:
            return None, f"{gpus.name} has no bf16 to scale the speed by: --clips-per-second"
        factor *= now / was
        scaled = f", scaled from {speed.gpu} by its arithmetic"
    if abs(speed.parameters / recipe.model.parameters - 1) > 0.05:
        factor *= speed.parameters / recipe.model.parameters
        scaled += ", scaled by the parameters"
    if recipe.trainer.precision == "fp32":
        factor /= FP32_SLOWER
        scaled += ", scaled for fp32"
    factor *= gpus.count
    times = []
    if speed.clips_per_second:
        times.append(kept.rows / (speed.clips_per_second * factor))
        if speed.mean_clip_s:
            audio = speed.clips_per_second * speed.mean_clip_s
            times.append(kept.hours * 3600 / (audio * factor))
    if speed.audio_s_per_second:
        times.append(kept.hours * 3600 / (speed.audio_s_per_second * factor))
    return max(times), f"at most, by the speed of {name}{scaled}"


def _speed(recipe: Recipe, gpus: Gpus, hardware: Hardware) -> tuple[str, Speed] | None:
    """Return the speed of the likest run: the same family, then the same GPU, then the size."""
    alike = [
        (name, speed)
        for name, speed in hardware.speeds.items()
        if speed is not None and speed.family == recipe.model.family
    ]
    own = recipe.model.parameters
    return min(
        alike,
        key=lambda item: (item[1].gpu != gpus.name, abs(item[1].parameters / own - 1)),
        default=None,
    )


def cost_of(
    gpus: Gpus,
    prices: Prices,
    time: WallTime,
    disk: Sequence[Stored],
    machine: str | None = None,
) -> Cost:
    """Return what a run costs, on the machine of that name or the first one that fits."""
    hours = time.hours
    offers = tuple(
        Offer(
            name,
            item.usd_per_hour,
            item.entered,
            None if hours is None else round(item.usd_per_hour * hours, 2),
        )
        for name, item in prices.machines.items()
        if item and item.gpu == gpus.name and item.gpus == gpus.count and machine in (None, name)
    )
    first = offers[0] if offers else None
    return Cost(
        usd_per_hour=first.usd_per_hour if first else None,
        usd=first.usd if first else None,
        idle_hours=prices.idle_hours,
        idle_usd=round(first.usd_per_hour * prices.idle_hours, 2) if first else None,
        offers=offers,
        disk_usd_per_month=round(prices.disk_usd_per_gb_month * sum(part.gb for part in disk), 2),
    )


def cost_findings(
    gpus: Gpus, prices: Prices, cost: Cost, time: WallTime, today: dt.date
) -> Iterator[Finding]:
    """Give what should be known of time and money."""
    if time.training_hours is None:
        yield note("time", time.why)
    elif "scaled" in time.why:
        yield note("time", f"{time.why}: rough; measure some steps and give --clips-per-second")
    if not cost.offers:
        yield note("cost", f"no price of {gpus} is known: add a machine to prices.yaml")
        return
    first = cost.offers[0]
    age = (today - first.entered).days
    if age > prices.old_after_days:
        text = f"the price of {first.machine} is {age} days old ({first.entered}): look it up"
        yield note("cost", text)
    yield warning(
        "cost",
        f"stop the machine when the run ends: {cost.idle_hours:g} h idle cost "
        f"{cost.idle_usd:,.2f} USD ({first.usd_per_hour:.2f} an hour)",
    )


def disk_of(recipe: Recipe, hardware: Hardware, kept: Kept) -> tuple[Stored, ...]:
    """Return what a run needs on the disk: checkpoints, the model before and after, the audio."""
    size = PRECISIONS[recipe.trainer.precision]
    whole = recipe.model.parameters
    trained = trained_parameters(recipe, hardware, recipe.stages[-1] if recipe.stages else None)
    weights = size.weights * whole / GB
    each = weights + size.optimiser * trained / GB
    count = recipe.checkpoints.top_k + recipe.checkpoints.last
    audio = kept.hours * 3600 * hardware.audio_bytes_per_second / GB
    return (
        Stored("checkpoints", count * each, f"{count} × {each:.1f} GB, weights and optimiser"),
        Stored("model", 2 * weights, "the base and the result"),
        Stored("audio", audio, f"{kept.hours:,.1f} h at 16 kHz, 16 bit"),
    )
