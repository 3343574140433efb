"""Figures that configurations state: those that follow are silent, slips are called out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asrdq.planning.slips import find_slips
from asrdq.recipes import read_recipe, recipe_names
from asrdq.recipes.recipe import Recipe

MakeRecipe = Callable[..., Recipe]

EIGHT_GPUS = {"rows": 186_812, "hours": None, "gpus": 8, "training_hours": None, "usd": None}
"""The run of the gradual recipe on eight A100: 186,812 clips."""


def slips(recipe: Recipe) -> dict[str, tuple[float, float]]:
    return {slip.figure: (slip.stated, slip.follows) for slip in find_slips(recipe)}


@pytest.mark.parametrize("name", sorted(recipe_names()))
def test_the_shipped_recipes_have_none(name: str) -> None:
    assert find_slips(read_recipe(name)) == []


def eight_gpus(recipe: MakeRecipe, **stated: Any) -> Recipe:
    return recipe(
        "qwen3-asr-gradual",
        data={"batch_size": 4},
        trainer={"accumulation": 2},
        stated={**EIGHT_GPUS, "steps_per_epoch": 2919, "steps": 14_595, **stated},
    )


def test_steps_of_eight_gpus_are_those_of_two(recipe: MakeRecipe) -> None:
    """With the effective batch of 64 kept, more GPUs make steps faster and not fewer."""
    assert slips(eight_gpus(recipe)) == {}
    made = eight_gpus(recipe, steps=3650)
    assert slips(made) == {"steps": (3650, 14_595)}
    (told,) = find_slips(made)
    assert str(told) == "states 3,650, but 2,919 × 5 epochs makes 14,595"


def test_an_effective_batch_that_the_gpus_do_not_make(recipe: MakeRecipe) -> None:
    made = eight_gpus(recipe, effective_batch=64, gpus=2, steps_per_epoch=None, steps=None)
    assert slips(made) == {"effective_batch": (64, 16)}  # 4 × 2 × 2


def test_steps_an_epoch_of_a_console_that_are_two_and_a_half_epochs(recipe: MakeRecipe) -> None:
    made = recipe("qwen3-asr-gradual", stated={"steps_per_epoch": 2875})
    assert slips(made) == {"steps_per_epoch": (2875, 1150)}  # ceil(73,579 ÷ 64)


def test_hours_that_the_speed_does_not_make(recipe: MakeRecipe) -> None:
    made = recipe("qwen3-asr-gradual", stated={"clips_per_second": 6})
    assert slips(made) == {"training_hours": (12, pytest.approx(17.03, abs=0.01))}
    assert slips(recipe("qwen3-asr-gradual", stated={"clips_per_second": 8.5})) == {}


def test_money_that_the_hours_do_not_make(recipe: MakeRecipe) -> None:
    made = recipe("qwen3-asr-gradual", stated={"usd": 55})
    assert slips(made) == {"usd": (55, pytest.approx(48.0))}


def test_a_scheduler_that_ends_before_the_run(recipe: MakeRecipe) -> None:
    made = recipe("parakeet-an4", stated={"scheduler_steps": 1185})
    assert slips(made) == {"scheduler_steps": (1185, 1200)}
    assert "leaves the last, smaller batch of each epoch out" in str(find_slips(made)[0])
    made = recipe("parakeet-an4", stated={"scheduler_steps": 2000})
    assert "leaves the last" not in str(find_slips(made)[0])


def test_steps_a_second_that_the_time_does_not_make(recipe: MakeRecipe) -> None:
    made = recipe("parakeet-an4", stated={"steps_per_second": 5.5})
    assert slips(made) == {"steps_per_second": (5.5, pytest.approx(1200 / 720))}


def test_steps_of_dynamic_batches(recipe: MakeRecipe) -> None:
    assert slips(recipe("canary-finetune", stated={"steps_per_epoch": 900})) == {
        "steps_per_epoch": (900, 818)
    }
    assert slips(recipe("canary-finetune", stated={"epochs": 5})) == {
        "epochs": (5, pytest.approx(61.12, abs=0.01))
    }


def test_max_steps_that_cut_the_epochs_short(recipe: MakeRecipe) -> None:
    made = recipe("qwen3-asr-gradual", schedule={"max_steps": 3650}, stated={"steps": 3650})
    assert slips(made) == {"schedule.max_steps": (3650, 5750)}


def test_what_cannot_be_computed_is_not_judged(recipe: MakeRecipe) -> None:
    made = recipe(
        "qwen3-asr-gradual",
        stated={"rows": None, "steps_per_epoch": 1, "steps": 1, "clips_per_second": 1},
    )
    assert slips(made) == {}
