"""The configuration for NeMo: every recipe, NeMo's own keys, and no error of the lint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from asrdq.handoff.deployment import DECODERS, deployment_text
from asrdq.handoff.figures import Figures
from asrdq.handoff.nemo_config import nemo_config
from asrdq.linting import Dialect, Level, lint_config, read_config
from asrdq.planning.kept import Kept
from asrdq.recipes import Recipe, read_recipe, recipe_names

NEMO = sorted(name for name in recipe_names() if read_recipe(name).backend == "nemo")

OF_LHOTSE = {"batch_duration", "quadratic_duration", "seed", "use_lhotse"}
OF_LIGHTNING = {"limit_val_batches", "use_distributed_sampler"}
OF_EXP_MANAGER = {
    *("use_datetime_version", "create_mlflow_logger", "create_early_stopping_callback"),
    *(
        "early_stopping_callback_params",
        "save_last",
        "every_n_train_steps",
        "every_n_epochs",
        "patience",
    ),
}
"""Keys that NeMo's dataclasses have and its example files do not show: LhotseDataLoadingConfig,
Lightning's Trainer, ExpManagerConfig, CallbackParams and EarlyStoppingParams."""


def figures(recipe: Recipe) -> Figures:
    return Figures(
        kept=Kept(1000, 2.0, 20.0, 2.0, ()),
        devices=2,
        nodes=1,
        gpu="a100-40",
        steps_per_epoch=100,
        steps=300,
        max_steps=300 if recipe.data.batch_duration_s else None,
        warmup_steps=7,
        accumulation=3,
        val_check_interval=150 if recipe.data.batch_duration_s else 0.5,
        hours=None,
        usd=None,
        disk_gb=100,
    )


def config(name: str) -> tuple[str, tuple[str, ...]]:
    recipe = read_recipe(name)
    made = nemo_config(recipe, figures(recipe))
    return made.text, made.beyond


@pytest.mark.parametrize("name", NEMO)
def test_it_resolves_where_it_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASRDQ_BUNDLE", "/a $(b) c")
    monkeypatch.setenv("ASRDQ_RUN_DIR", "/out")
    monkeypatch.setenv("ASRDQ_DEVICES", "8")
    said: Any = OmegaConf.to_container(OmegaConf.create(config(name)[0]), resolve=True)
    assert said["model"]["train_ds"]["manifest_filepath"] == "/a $(b) c/data/train.jsonl"
    assert said["model"]["validation_ds"]["manifest_filepath"].endswith("/data/validation.jsonl")
    assert said["trainer"]["devices"] == 8
    assert said["trainer"]["num_nodes"] == 1
    assert said["exp_manager"]["exp_dir"] == "/out"
    assert said["exp_manager"]["name"] == name
    assert isinstance(said["model"]["optim"]["lr"], float)
    endless = said["model"]["train_ds"].get("use_lhotse", False)
    assert (said["trainer"]["check_val_every_n_epoch"] is None) == endless
    assert (said["model"]["optim"]["sched"].get("max_steps") == 300) == endless


@pytest.mark.parametrize("name", NEMO)
def test_nemo_has_every_key(name: str, shared_data: Path) -> None:
    known = {key for file in shared_data.glob("nemo_conf/**/*.yaml") for key in keys(file)}
    said = OmegaConf.create(config(name)[0])
    unknown = set(walk(OmegaConf.to_container(said))) - known
    assert unknown <= OF_LHOTSE | OF_LIGHTNING | OF_EXP_MANAGER | {"init_from_pretrained_model"}


def keys(file: Path) -> Iterator[str]:
    yield from walk(OmegaConf.to_container(OmegaConf.load(file)))


def walk(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


@pytest.mark.parametrize("name", NEMO)
def test_the_lint_finds_no_error_in_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / "nemo.yaml"
    file.write_text(config(name)[0])
    found = lint_config(read_config(file, (), Dialect.NEMO))
    assert [str(one) for one in found.standing if one.level is Level.ERROR] == []


def test_what_it_leaves_out_is_said() -> None:
    recipe = read_recipe("smoke")
    asked = recipe.model_copy(
        update={
            "augmentation": recipe.augmentation.model_copy(
                update={"speed_perturbation": (0.9, 1.1)}
            ),
            "data": recipe.data.model_copy(update={"mix_by": ("domain",)}),
        }
    )
    assert nemo_config(recipe, figures(recipe)).beyond == ()
    assert nemo_config(asked, figures(recipe)).beyond == (
        "data.mix_by",
        "augmentation.speed_perturbation",
    )


def test_a_model_that_needs_prompts_is_not_left_to_the_plain_script() -> None:
    assert "model.family aed" in config("canary-finetune")[1]


def test_checkpoints_by_steps_are_not_by_epochs_too() -> None:
    recipe = read_recipe("smoke")
    kept = recipe.checkpoints.model_copy(update={"every_n_steps": 50})
    text = nemo_config(recipe.model_copy(update={"checkpoints": kept}), figures(recipe)).text
    saved = OmegaConf.create(text).exp_manager.checkpoint_callback_params
    assert (saved.every_n_train_steps, saved.every_n_epochs) == (50, None)


def test_a_local_model_is_restored_and_not_fetched() -> None:
    recipe = read_recipe("smoke")
    local = recipe.model_copy(
        update={"model": recipe.model.model_copy(update={"base": "/models/base.nemo"})}
    )
    assert "init_from_nemo_model: /models/base.nemo" in nemo_config(local, figures(recipe)).text


@pytest.mark.parametrize(
    ("family", "flag"),
    [("ctc", "greedy_ctc"), ("rnnt", "nemo"), ("tdt", "nemo"), ("hybrid", "nemo")],
)
def test_riva_is_told_of_the_decoder(family: str, flag: str) -> None:
    recipe = read_recipe("smoke")
    model = recipe.model.model_copy(update={"family": family})
    text = deployment_text(recipe.model_copy(update={"model": model}))
    assert f"--decoder_type={flag} " in text
    assert f"decoder={flag.partition('_')[0]}\n" in text
    assert "riva-deploy" in text


def test_every_family_has_a_way_to_be_served_or_a_word_why_not() -> None:
    from typing import get_args

    from asrdq.recipes.model import Family

    assert set(DECODERS) == set(get_args(Family))
    recipe = read_recipe("canary-finetune")
    assert "Riva has no decoder for the family aed" in deployment_text(recipe)
