"""What a training run needs of the memory of each GPU, and the largest batch that fits."""

from __future__ import annotations

from dataclasses import dataclass

from asrdq.planning.hardware import Gpus, Hardware
from asrdq.recipes.recipe import Recipe, Stage

GB = 1e9


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes a parameter, by the precision that it is trained in.

    Attributes:
        weights: The weight itself.
        cast: Its copy in half precision that autocast makes for the passes.
        gradient: Its gradient, where it trains.
        optimiser: Its two moments, where it trains.
    """

    weights: int
    cast: int
    gradient: int
    optimiser: int


PRECISIONS = {
    "bf16-mixed": Bytes(weights=4, cast=2, gradient=4, optimiser=8),
    "fp16-mixed": Bytes(weights=4, cast=2, gradient=4, optimiser=8),
    "bf16-true": Bytes(weights=2, cast=0, gradient=2, optimiser=4),
    "fp32": Bytes(weights=4, cast=0, gradient=4, optimiser=8),
}
_HALF = {"bf16-mixed", "fp16-mixed", "bf16-true"}


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the memory: what it is, GB, and how it came about."""

    name: str
    gb: float
    why: str


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of each GPU in one stage.

    Attributes:
        stage: The stage, or `all parameters`.
        trained: Parameters that train.
        batch_s: Seconds of audio in a batch of the longest clips.
        components: What it is made of.
        low_gb: With activations as small as they may be.
        high_gb: With activations as large as they may be.
        typical_gb: With a batch of clips of mean length; None where that is not known.
        alarm_gb: From here on the run is one clip away from running out.
    """

    stage: str
    trained: int
    batch_s: float
    components: tuple[Component, ...]
    low_gb: float
    high_gb: float
    typical_gb: float | None
    alarm_gb: float

    @property
    def total_gb(self) -> float:
        """All components together."""
        return sum(part.gb for part in self.components)

    @property
    def fits(self) -> bool:
        """Whether it stays under the alarm."""
        return self.total_gb <= self.alarm_gb


def trained_parameters(recipe: Recipe, hardware: Hardware, stage: Stage | None) -> int:
    """Return how many parameters train in a stage; without stages, all or the adapters."""
    if recipe.model.lora is not None:
        return int(recipe.model.parameters * hardware.memory.lora)
    if stage is None:
        return recipe.model.parameters
    return sum(recipe.model.groups[name].parameters for name in stage.train)


def activating_parameters(recipe: Recipe, stage: Stage | None) -> int:
    """Return the parameters whose activations are kept: from the lowest that trains upwards."""
    whole = recipe.model.parameters
    if stage is None or recipe.model.lora is not None:
        return whole
    return max(recipe.model.groups[name].to_output or whole for name in stage.train)


def estimate_memory(
    recipe: Recipe,
    gpus: Gpus,
    hardware: Hardware,
    *,
    batch_s: float,
    typical_s: float | None = None,
    stage: Stage | None = None,
) -> Memory:
    """Estimate the memory of each GPU.

    Args:
        recipe: What is trained, and in what precision.
        gpus: On what.
        hardware: The constants.
        batch_s: Seconds of audio in a batch of the longest clips.
        typical_s: The same for clips of mean length.
        stage: A stage of the recipe, or None for one that trains everything.
    """
    fixed = _fixed(recipe, gpus, hardware, stage)
    each_s = _activations_a_second(recipe, hardware, stage)
    checkpointing = " with checkpointing" if recipe.trainer.gradient_checkpointing else ""
    activations = Component(
        "activations",
        each_s * batch_s,
        f"{batch_s:,.1f} s a batch × {each_s * 1000:,.0f} MB{checkpointing}",
    )
    base = sum(part.gb for part in fixed)
    swing = hardware.memory.uncertainty * activations.gb
    return Memory(
        stage=_stage_name(recipe, stage),
        trained=trained_parameters(recipe, hardware, stage),
        batch_s=batch_s,
        components=(*fixed[:-1], activations, fixed[-1]),
        low_gb=base + activations.gb - swing,
        high_gb=base + activations.gb + swing,
        typical_gb=None if typical_s is None else base + each_s * typical_s,
        alarm_gb=hardware.memory.alarm * gpus.memory_gb,
    )


def largest_batch_s(
    recipe: Recipe, gpus: Gpus, hardware: Hardware, stage: Stage | None = None
) -> float:
    """Return the seconds of audio that a batch may have before the alarm; 0 if none fits."""
    fixed = sum(part.gb for part in _fixed(recipe, gpus, hardware, stage))
    free = hardware.memory.alarm * gpus.memory_gb - fixed
    return max(0.0, free / _activations_a_second(recipe, hardware, stage))


def seen_batch(recipe: Recipe, gpus: Gpus, hardware: Hardware) -> int | None:
    """Return the smallest batch that was the choice for such a model on this memory or more."""
    model = recipe.model
    return min(
        (
            seen.batch_size
            for seen in hardware.batches.values()
            if seen
            and seen.family == model.family
            and model.parameters <= seen.parameters_up_to
            and seen.memory_gb >= gpus.memory_gb
        ),
        default=None,
    )


def _fixed(recipe: Recipe, gpus: Gpus, hardware: Hardware, stage: Stage | None) -> list[Component]:
    """Return the components that do not depend on the batch, the reserve last."""
    size = PRECISIONS[recipe.trainer.precision]
    everything = recipe.model.parameters
    trained = trained_parameters(recipe, hardware, stage)
    sharded = recipe.trainer.strategy == "fsdp" and gpus.count > 1
    shards = gpus.count if sharded else 1
    among = f" ÷ {shards} GPUs" if sharded else ""

    def part(name: str, count: int, each: int) -> Component:
        why = f"{each} bytes × {count:,}{among}"
        return Component(name, each * count / shards / GB, why)

    parts = [part("weights", everything, size.weights)]
    if size.cast:
        parts.append(
            Component(
                "half-precision copies",
                size.cast * everything / GB,
                f"{size.cast} bytes × {everything:,}, made by autocast",
            )
        )
    parts.append(part("gradients", trained, size.gradient))
    parts.append(part("optimiser states", trained, size.optimiser))
    if gpus.count > 1 and not sharded:
        parts.append(
            Component(
                "communication",
                size.gradient * trained / GB,
                "buckets as large as the gradients, for DDP",
            )
        )
    reserve = hardware.memory.context_gb + hardware.memory.fragmentation * gpus.memory_gb
    why = f"CUDA, and {hardware.memory.fragmentation:.0%} lost to NCCL and fragmentation"
    return [*parts, Component("reserve", reserve, why)]


def _activations_a_second(recipe: Recipe, hardware: Hardware, stage: Stage | None) -> float:
    """Return GB of activations for each second of audio in a batch."""
    each = hardware.memory.activations[recipe.model.family]
    left = hardware.memory.checkpointing if recipe.trainer.gradient_checkpointing else 1.0
    full = 1.0 if recipe.trainer.precision in _HALF else 2.0
    return each * left * full * activating_parameters(recipe, stage) / GB


def _stage_name(recipe: Recipe, stage: Stage | None) -> str:
    if stage is None:
        return "adapters" if recipe.model.lora is not None else "all parameters"
    return f"from epoch {stage.from_epoch}"
