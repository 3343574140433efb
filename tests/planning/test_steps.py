"""Steps of a recipe on so many GPUs and so much data, and what is called out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asrdq.planning.kept import Kept
from asrdq.planning.steps import Steps, count_steps, step_findings
from asrdq.recipes.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
MakeKept = Callable[..., Kept]


def said(recipe: Recipe, steps: Steps) -> dict[str, str]:
    return {finding.about: finding.text for finding in step_findings(recipe, steps)}


@pytest.mark.parametrize(("gpus", "passes"), [(2, 16), (8, 4)])
def test_the_gradual_recipe_has_the_same_steps_on_two_and_eight_gpus(
    recipe: MakeRecipe, kept: MakeKept, gpus: int, passes: int
) -> None:
    made = recipe("qwen3-asr-gradual")
    steps = count_steps(made, gpus, kept(186_812, 363.2))
    assert steps.accumulation == passes
    assert steps.clips_a_step == 64
    assert (steps.steps_per_epoch, steps.steps) == (2919, 14_595)
    assert steps.stage_starts == (0, 5838)  # after two epochs, not three
    assert steps.validations == 29
    assert steps.warmup == 850  # 500 and one an hour, in fifties
    assert said(made, steps) == {}


def test_accumulation_that_does_not_divide(recipe: MakeRecipe, kept: MakeKept) -> None:
    made = recipe("qwen3-asr-gradual")
    steps = count_steps(made, 3, kept(186_812, 363.2))
    assert steps.accumulation_choices == ((10, 60), (11, 66))
    assert steps.clips_a_step == 66
    text = said(made, steps)["trainer.effective_batch"]
    assert "accumulation 10 (60 clips) or 11 (66 clips), and 11 is planned with" in text


def test_accumulation_that_contradicts_the_effective_batch(
    recipe: MakeRecipe, kept: MakeKept
) -> None:
    made = recipe("qwen3-asr-gradual", trainer={"accumulation": 16})
    steps = count_steps(made, 8, kept(186_812, 363.2))
    assert (
        "2 × 16 × 8 GPUs = 256 clips a step, not the 64"
        in said(made, steps)["trainer.accumulation"]
    )


def test_canary_on_2000_hours(recipe: MakeRecipe, kept: MakeKept) -> None:
    made = recipe("canary-finetune")
    plain = count_steps(made, 4, kept(500_000, 2000))
    assert (plain.steps_per_epoch, plain.validation_advised) == (818, 409)
    assert plain.epochs == pytest.approx(61.1, abs=0.05)
    assert plain.warmup_advised == plain.warmup == 2500
    assert plain.log_advised == (20, 40)  # 10 to 20 lines between validations 400 steps apart
    assert plain.clips_a_step == pytest.approx(611, abs=1)
    assert said(made, plain) == {}


def test_long_clips_that_count_for_more(recipe: MakeRecipe, kept: MakeKept) -> None:
    made = recipe("canary-finetune")
    steps = count_steps(made, 4, kept(500_000, 2000, loaded=3000))
    assert (steps.steps_per_epoch, steps.plain_steps_per_epoch) == (1227, 818)
    assert (
        "1,227 steps, where hours alone give 818" in said(made, steps)["data.quadratic_duration_s"]
    )


def test_fewer_gpus_than_the_recipe_is_for(recipe: MakeRecipe, kept: MakeKept) -> None:
    made = recipe("canary-finetune")
    text = said(made, count_steps(made, 2, kept(500_000, 2000)))["trainer.devices"]
    assert "for 4 GPUs and a step has 0.5 times its size" in text


def test_an4_has_its_1200_steps(recipe: MakeRecipe, kept: MakeKept) -> None:
    steps = count_steps(recipe("parakeet-an4"), 1, kept(948, 0.71, longest_s=6.0))
    assert (steps.steps_per_epoch, steps.steps, steps.warmup_advised) == (60, 1200, 50)


def test_max_steps_that_cut_the_epochs_short(recipe: MakeRecipe, kept: MakeKept) -> None:
    made = recipe("qwen3-asr-gradual", schedule={"max_steps": 3650})
    steps = count_steps(made, 2, kept(186_812, 363.2))
    found = said(made, steps)
    assert found["schedule.max_steps"] == ("3,650 steps are 1.25 epochs; 5 epochs are 14,595 steps")
    assert found["stages"] == "a stage begins after step 5,838, and the run has 3,650"


def test_warmup_that_is_too_long_or_too_short(recipe: MakeRecipe, kept: MakeKept) -> None:
    long = recipe("smoke", schedule={"warmup_steps": 50})
    found = said(long, count_steps(long, 1, kept(80, 0.2)))
    assert found["schedule.warmup_steps"] == (
        "50 of 60 steps warm up, more than 10 %; 5 suit this data"
    )
    short = recipe("parakeet-tdt-sft", schedule={"warmup_steps": 5})
    found = said(short, count_steps(short, 1, kept(5_000, 10.0)))
    assert found["schedule.warmup_steps"] == "5 steps of warm-up are few; 500 suit this data"


def test_a_share_of_the_steps_warms_up(recipe: MakeRecipe, kept: MakeKept) -> None:
    steps = count_steps(recipe("qwen3-asr-sft"), 1, kept(128_000, 200.0))
    assert (steps.steps, steps.warmup) == (1000, 20)
    assert count_steps(recipe("qwen3-asr-sft"), 1, kept(128_001, 200.0)).warmup == 21  # 1001 steps


def test_validation_that_never_runs(recipe: MakeRecipe, kept: MakeKept) -> None:
    made = recipe("qwen3-asr-gradual")
    text = said(made, count_steps(made, 2, kept(1_000, 2.0)))["trainer.val_check_interval"]
    assert text.startswith("validation never runs: the run ends after 80 steps")


def test_a_share_of_the_epoch_between_validations(recipe: MakeRecipe, kept: MakeKept) -> None:
    made = recipe("parakeet-an4", trainer={"val_check_interval": 0.25})
    assert count_steps(made, 1, kept(948, 0.71)).validation_interval == 15


def test_more_epochs_than_any_run_needs(recipe: MakeRecipe, kept: MakeKept) -> None:
    made = recipe("smoke", schedule={"epochs": 50_000, "max_steps": None})
    steps = count_steps(made, 1, kept(80, 0.2))
    told = said(made, steps)["schedule"]
    assert told.startswith(f"{steps.steps:,} steps are 50,000 epochs of {steps.steps_per_epoch}")
    made = recipe("smoke", schedule={"epochs": 1000, "max_steps": None})
    assert "schedule" not in said(made, count_steps(made, 1, kept(80, 0.2)))


@pytest.mark.parametrize(
    ("every", "told"),
    [
        (41, "every 41 steps makes 9.76 lines from one validation to the next; 20 to 40 make"),
        (40, None),
        (2, None),  # ten times the lines, which only costs time
        (1, "every 1 steps makes 400 lines"),
    ],
)
def test_a_log_that_is_too_coarse_or_far_too_fine(
    recipe: MakeRecipe, kept: MakeKept, every: int, told: str | None
) -> None:
    made = recipe("smoke", trainer={"val_check_interval": 400, "log_every_n_steps": every})
    text = said(made, count_steps(made, 1, kept(80, 0.2))).get("trainer.log_every_n_steps")
    assert (text is None) if told is None else (text or "").startswith(told)
