"""Rules about the memory of the GPU."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.config import Config, Family, Knob
from asrdq.linting.registry import GPUS, Found, rule
from asrdq.planning.batch import in_memory_s
from asrdq.planning.findings import Level
from asrdq.planning.memory import largest_batch_s, seen_batch
from asrdq.recipes import Recipe

_BILLIONS = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)b(?![a-z])")
_PRECISIONS = {"bf16-mixed", "bf16-true", "fp16-mixed", "fp32"}


@rule(
    "batch-too-large-for-gpu",
    Level.WARNING,
    reason="The batch is larger than what fits: the run ends with CUDA out of memory, often hours "
    "in, when the longest clips meet. (Over twice what was seen to run there: an error.)",
    mend="a smaller batch and more accumulation, which keeps the effective batch; `asrdq plan` has "
    "the estimate",
    needs=(GPUS,),
)
def batch_too_large_for_gpu(case: Case) -> Iterator[Found]:
    """Hold the batch against what fits into the memory of a GPU."""
    seconds, size = case.config.get(Knob.BATCH_DURATION), case.config.get(Knob.BATCH_SIZE)
    at = seconds or size
    if case.gpus is None or case.hardware is None or at is None:
        return
    recipe = case.config.recipe or _stand_in(case.config)
    if recipe is None:
        return
    stages = recipe.stages or (None,)
    room_s = min(largest_batch_s(recipe, case.gpus, case.hardware, each) for each in stages)
    seen = None if seconds is not None else seen_batch(recipe, case.gpus, case.hardware)
    fits = room_s if seconds is not None else _clips(case, recipe, room_s, seen)
    if float(at.value) > fits:
        unit, far = "clips" if seconds is None else "s of audio", float(at.value) > 2 * fits
        source = "by the estimate" if seen is None or fits < seen else "as it was seen to run"
        told = f"{case.gpus.memory_gb:g} GB are for {fits:,.0f} {unit}, {source}"
        level = Level.ERROR if far and fits == seen else None
        yield Found(f"{at.key} {at.value:g}: {told}", at, level=level)


def _clips(case: Case, recipe: Recipe, room_s: float, seen: int | None) -> float:
    """Return the clips a batch that fit, infinite where nothing is known.

    What was seen counts. The estimate counts for recipes, which say what of the model trains, and
    where nothing was seen.
    """
    estimate = math.inf
    if case.config.number(Knob.MAX_DURATION) is not None:
        estimate = room_s // in_memory_s(recipe, recipe.data.max_duration_s)
    if seen is None:
        return estimate
    return min(seen, estimate) if case.config.recipe is not None else seen


def _stand_in(config: Config) -> Recipe | None:
    """Return a recipe of the same model and batch, for the estimate; None if it is not known."""
    size = _BILLIONS.search(config.model)
    families = [family for family in Family if family in config.families]
    duration, seconds = config.number(Knob.MAX_DURATION), config.number(Knob.BATCH_DURATION)
    if size is None or not families:
        return None
    precision = config.word(Knob.PRECISION) or ""
    return Recipe.model_validate(
        {
            "name": "stand-in",
            "backend": "nemo",
            "model": {
                "base": config.model,
                "family": _main(families).value,
                "parameters": int(float(size[1]) * 1e9),
            },
            "data": {
                "max_duration_s": duration or 30.0,
                **({"batch_duration_s": seconds} if seconds else {"batch_size": 1}),
            },
            "optimiser": {"lr": 1e-4},
            "schedule": {"name": "CosineAnnealing", "epochs": 1},
            "trainer": {"precision": precision if precision in _PRECISIONS else "bf16-mixed"},
            "checkpoints": {"monitor": "val_wer"},
        }
    )


def _main(families: list[Family]) -> Family:
    """Return what decides the memory of a hybrid: the decoder that is not CTC."""
    return next((each for each in families if each is not Family.CTC), families[0])
