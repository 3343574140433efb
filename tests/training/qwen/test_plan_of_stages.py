"""Learning rates follow from the step alone."""

from __future__ import annotations

import pytest
from tests.training.qwen.conftest import GROUPS, STAGES, recipe_of

from asrdq.training.qwen.stages import ALL, StagePlan


def staged(**schedule: object) -> StagePlan:
    recipe = recipe_of(
        model={"groups": GROUPS},
        stages=STAGES,
        schedule={"epochs": 5, "max_steps": None, **schedule},
    )
    return StagePlan.of(recipe, steps_per_epoch=1150, total=5750, warmup=0)


def test_epochs_count_from_one_so_that_the_third_begins_after_two() -> None:
    plan = staged()
    assert plan.starts == (0, 2300)
    assert [plan.stage(step) for step in (0, 2299, 2300, 5749)] == [0, 0, 1, 1]
    assert [plan.end(0), plan.end(1)] == [2300, 5750]


def test_a_group_that_rests_has_no_rate_and_one_without_its_own_has_that_of_the_recipe() -> None:
    plan = staged()
    assert [plan.rate("audio_top", step) for step in (0, 2299, 2300)] == [0.0, 0.0, 2e-3]
    assert [plan.rate("projector", step) for step in (0, 2300)] == [4e-3, 2e-3]


@pytest.mark.parametrize("name", ["linear", "cosine", "constant_with_warmup", "inverse_sqrt"])
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_schedules_are_those_of_transformers(name: str) -> None:
    """Its own schedule, asked step by step, is the oracle; a switch does not disturb it."""
    import torch
    from transformers import get_scheduler

    plan = StagePlan((0, 40), ({ALL: 1.0}, {ALL: 1.0}), ("", ""), 100, 10, name)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = get_scheduler(name, optimiser, num_warmup_steps=10, num_training_steps=100)
    for step in range(101):
        assert plan.rate(ALL, step) == pytest.approx(theirs.get_last_lr()[0], abs=1e-9)
        optimiser.step()
        theirs.step()


def test_a_floor_holds_after_the_warm_up() -> None:
    plan = StagePlan((0,), ({ALL: 1e-3},), ("",), 100, 10, "linear", floor=1e-4)
    assert plan.rate(ALL, 0) == 0.0
    assert plan.rate(ALL, 100) == pytest.approx(1e-4)
    assert plan.rate(ALL, 55) == pytest.approx((1e-3 + 1e-4) / 2)
