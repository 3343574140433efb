"""The batch that suits the memory of a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asrdq.planning.arithmetic import accumulation_for, effective_batch
from asrdq.planning.findings import Finding, error, note, warning
from asrdq.planning.hardware import Gpus, Hardware
from asrdq.planning.memory import Memory, largest_batch_s, seen_batch
from asrdq.planning.steps import Steps
from asrdq.recipes.recipe import Recipe


@dataclass(frozen=True, slots=True)
class BatchAdvice:
    """What a batch may be, in clips or in seconds as the recipe counts it.

    Attributes:
        planned: What the recipe has.
        computed: The largest that the estimate of memory allows; 0: not even one clip.
        seen: The smallest that was the choice on a GPU of this memory or more, for such a model;
            None: nobody has seen one.
        fitting: What fits: the computed one, or the seen one if that is smaller.
        accumulation: Passes a step that keep the effective batch with it; None where there is
            none to keep or it does not divide.
        unit: `clips` or `seconds`.
    """

    planned: float
    computed: float
    seen: int | None
    fitting: float
    accumulation: int | None
    unit: str


WHISPER_WINDOW_S = 30.0


def in_memory_s(recipe: Recipe, clip_s: float) -> float:
    """Return the length that a clip has in a batch: slowed down at most; Whisper pads to 30 s."""
    if recipe.model.family == "whisper":
        return WHISPER_WINDOW_S
    return clip_s / min((1.0, *recipe.augmentation.speed_perturbation))


def advise_batch(
    recipe: Recipe, gpus: Gpus, hardware: Hardware, steps: Steps, longest_clip_s: float
) -> BatchAdvice:
    """Return the batch that suits the memory, in the stage that needs the most of it."""
    seconds = min(
        largest_batch_s(recipe, gpus, hardware, stage) for stage in recipe.stages or (None,)
    )
    if recipe.data.batch_size is None:
        assert recipe.data.batch_duration_s is not None
        computed = float(int(seconds / 10) * 10)
        return BatchAdvice(recipe.data.batch_duration_s, computed, None, computed, None, "seconds")
    computed = int(seconds / in_memory_s(recipe, longest_clip_s))
    seen = seen_batch(recipe, gpus, hardware)
    fitting = computed if seen is None else min(computed, seen)
    effective = effective_batch(recipe.data.batch_size, steps.accumulation, gpus.count)
    kept = accumulation_for(effective, fitting, gpus.count) if fitting else None
    return BatchAdvice(
        recipe.data.batch_size,
        computed,
        seen,
        fitting,
        kept.passes if kept and kept.divides else None,
        "clips",
    )


def memory_findings(
    recipe: Recipe, gpus: Gpus, memory: Sequence[Memory], batch: BatchAdvice
) -> Iterator[Finding]:
    """Give what should be known of the memory."""
    if gpus.bf16_tflops is None and recipe.trainer.precision.startswith("bf16"):
        text = f"{gpus.name} has no bf16"
        tdt = ", and with fp16 the losses of a TDT model become NaN"
        yield error("trainer.precision", text + tdt * (recipe.model.family == "tdt"))
    worst = max(memory, key=lambda each: each.total_gb)
    advice = f"a batch of {batch.fitting:,g} {batch.unit} fits"
    if batch.accumulation:
        advice += f", with accumulation {batch.accumulation}"
    if not batch.fitting:
        advice = "not even one clip fits: a larger GPU, or strategy fsdp on several"
    if not worst.fits:
        typical = (
            f"; with clips of mean length {worst.typical_gb:.0f} GB" if worst.typical_gb else ""
        )
        yield error(
            "memory",
            f"{worst.total_gb:.1f} GB of {gpus.memory_gb:g} ({worst.stage}), the alarm is at "
            f"{worst.alarm_gb:.1f}{typical}; {advice}",
        )
    elif batch.planned > batch.fitting:
        yield warning(
            "data.batch_size",
            f"{batch.planned:,g} {batch.unit} is more than was seen to run; {advice}",
        )
    elif batch.planned * 2 <= batch.fitting:
        yield note("data.batch_size", f"{batch.planned:,g} {batch.unit} leave room; {advice}")
    if worst.fits and worst.high_gb > worst.alarm_gb:
        yield note(
            "memory", f"may reach {worst.high_gb:.1f} GB, the alarm is at {worst.alarm_gb:.1f}"
        )
