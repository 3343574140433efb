"""What the backend cannot do of a recipe is refused by name, without NeMo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.training.nemo.conftest import make_job

from asrdq.errors import ToolError, UsageError
from asrdq.recipes import read_recipe, recipe_names
from asrdq.training.nemo.backend import NemoBackend
from asrdq.training.nemo.refusals import refuse_what_is_not_done

ROW = {"audio_filepath": "/no/clip.wav", "duration": 1.0, "text": "one"}
GROUP = {"top": {"part": "encoder", "parameters": 10}}


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"model": {"lora": {"rank": 8}}}, "model.lora"),
        (
            {"model": {"groups": GROUP}, "stages": [{"from_epoch": 1, "train": ["top"]}]},
            "stages: all groups train",
        ),
        ({"model": {"family": "aed"}}, "data.batch_size: Canary is trained with"),
        ({"model": {"family": "aed", "tokenizer": "/tok"}}, "model.tokenizer: Canary's"),
        (
            {
                "optimiser": {"layer_decay": 0.9},
                "schedule": {"name": "WarmupAnnealing"},
            },
            "one learning rate for all groups",
        ),
        ({"data": {"mix_by": ["lang"], "temperature": 0.5}}, "data.mix_by"),
        ({"data": {"buckets": 4}}, "data.buckets: buckets go with batch_duration_s"),
        ({"augmentation": {"speed_perturbation": [0.9, 1.1]}}, "augmentation.speed_perturbation"),
        ({"augmentation": {"noise_snr_db": [10.0]}}, "augmentation.noise_snr_db"),
        ({"optimiser": {"lr": 1e-5}, "schedule": {"min_lr": 1e-5}}, "schedule.min_lr 1e-05"),
        ({"evaluation": {"metric": "ker"}}, "evaluation.metric ker"),
        ({"evaluation": {"per_domain_clips": 5}}, "evaluation.per_domain_clips"),
        ({"checkpoints": {"monitor": "val_cer"}}, "checkpoints.monitor val_cer"),
        ({"checkpoints": {"mode": "max"}}, "checkpoints.mode max: a smaller val_wer"),
        ({"trainer": {"strategy": "fsdp"}}, "trainer.strategy fsdp"),
        ({"trainer": {"gradient_checkpointing": True}}, "trainer.gradient_checkpointing"),
    ],
)
def test_it_is_refused(sections: dict[str, Any], told: str, tmp_path: Path) -> None:
    job = make_job(tmp_path, [ROW], "tiny.nemo", **sections)
    with pytest.raises(UsageError, match="the backend nemo cannot train digits") as caught:
        refuse_what_is_not_done(job)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "name", [name for name in recipe_names() if read_recipe(name).backend == "nemo"]
)
def test_nothing_of_the_recipes_that_come_along_is_refused(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(name)
    job = make_job(tmp_path, [ROW], "tiny.nemo", job={"recipe": recipe})
    refuse_what_is_not_done(job)
    assert job.recipe.name == name


def test_all_of_it_is_told_at_once(tmp_path: Path) -> None:
    sections = {"evaluation": {"metric": "ker"}, "trainer": {"strategy": "fsdp"}}
    with pytest.raises(UsageError) as caught:
        refuse_what_is_not_done(make_job(tmp_path, [ROW], "tiny.nemo", **sections))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("name", ["NoamAnnealing", "NoamHoldAnnealing"])
def test_a_noam_schedule_needs_its_warm_up(name: str, tmp_path: Path) -> None:
    without = {"warmup_steps": 0}
    job = make_job(tmp_path, [ROW], "tiny.nemo", schedule={"name": name}, figures=without)
    with pytest.raises(UsageError, match=f"{name} is made of its warm-up"):
        refuse_what_is_not_done(job)


def test_a_sound_recipe_is_let_through(tmp_path: Path) -> None:
    refuse_what_is_not_done(make_job(tmp_path, [ROW], "tiny.nemo"))


def test_a_base_that_is_not_there_is_told_before_nemo_is_imported(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="there is no such base"):
        NemoBackend().check(make_job(tmp_path, [ROW], tmp_path / "gone.nemo"))


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.nemo").touch()
    model = {"tokenizer": str(tmp_path)}
    with pytest.raises(UsageError, match=r"has no tokenizer\.model and no vocab\.txt"):
        NemoBackend().check(make_job(tmp_path, [ROW], tmp_path / "tiny.nemo", model=model))
