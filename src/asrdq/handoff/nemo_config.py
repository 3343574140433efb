"""A recipe as NeMo takes it: one YAML file in the manner of its fine-tuning configurations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from asrdq.handoff.figures import Figures
    from asrdq.recipes import Recipe

MODEL_RATE = 16_000
TRAIN_FILE, VALIDATION_FILE = "data/train.jsonl", "data/validation.jsonl"

_BUNDLE = "${oc.env:ASRDQ_BUNDLE}"
_PRECISIONS = {"bf16-mixed": "bf16-mixed", "bf16-true": "bf16-true", "fp16-mixed": "16-mixed"}
_PRECISIONS |= {"fp32": "32-true"}
_PLAIN = ("ctc", "rnnt", "tdt", "hybrid")
"""Families that NeMo's own fine-tuning script trains as they are; others need prompts."""
_VOCABULARY = {
    "char_labels": {"update_labels": False, "labels": None},
    "tokenizer": {"update_tokenizer": False, "dir": None, "type": "bpe"},
}
"""The vocabulary stays that of the base; NeMo's script asks for both keys."""

_HEAD = """\
# NeMo configuration of the recipe {name}, in the manner of its speech_to_text_finetune.yaml.
# Where it runs is said by the environment: ASRDQ_BUNDLE, ASRDQ_RUN_DIR, ASRDQ_DEVICES, ASRDQ_NODES.
"""


@dataclass(frozen=True)
class NemoConfig:
    """A NeMo configuration.

    Attributes:
        text: The YAML.
        beyond: What the recipe asks for and no configuration can say to NeMo's own scripts.
    """

    text: str
    beyond: tuple[str, ...]


def nemo_config(recipe: Recipe, figures: Figures) -> NemoConfig:
    """Return the configuration of a recipe.

    Args:
        recipe: The recipe, of the backend nemo.
        figures: What the recipe leaves to the data and the machine.
    """
    base = recipe.model.base
    start = "init_from_nemo_model" if base.endswith(".nemo") else "init_from_pretrained_model"
    body = {
        "name": recipe.name,
        start: base,
        "model": _model(recipe, figures),
        "trainer": _trainer(recipe, figures),
        "exp_manager": _exp_manager(recipe),
    }
    text = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=100)
    return NemoConfig(_HEAD.format(name=recipe.name) + text, tuple(_beyond(recipe)))


def _model(recipe: Recipe, figures: Figures) -> dict[str, Any]:
    masks = recipe.augmentation.spec_augment
    model: dict[str, Any] = {
        "sample_rate": MODEL_RATE,
        "train_ds": _train(recipe),
        "validation_ds": _validation(recipe),
        **_VOCABULARY,
    }
    if masks is not None:
        model["spec_augment"] = {
            "_target_": "nemo.collections.asr.modules.SpectrogramAugmentation",
            "freq_masks": masks.frequency_masks,
            "time_masks": masks.time_masks,
            "freq_width": masks.frequency_width,
            "time_width": masks.time_width,
        }
    return {**model, "optim": _optimiser(recipe, figures)}


def _dataset(recipe: Recipe, file: str) -> dict[str, Any]:
    return {
        "manifest_filepath": f"{_BUNDLE}/{file}",
        "sample_rate": "${model.sample_rate}",
        "num_workers": recipe.data.workers,
        "pin_memory": True,
    }


def _train(recipe: Recipe) -> dict[str, Any]:
    found = {
        **_dataset(recipe, TRAIN_FILE),
        "min_duration": recipe.data.min_duration_s,
        "max_duration": recipe.data.max_duration_s,
        **_batches(recipe, 1.0),
        "shuffle": True,
    }
    if _endless(recipe):
        found["seed"] = recipe.trainer.seed
        if recipe.data.buckets:
            found |= {"use_bucketing": True, "num_buckets": recipe.data.buckets}
    return found


def _validation(recipe: Recipe) -> dict[str, Any]:
    """Return the validation set, which no filter makes smaller than it was handed off."""
    factor = recipe.data.validation_batch_factor
    found = {**_dataset(recipe, VALIDATION_FILE), **_batches(recipe, factor), "shuffle": False}
    if _endless(recipe):
        found["use_bucketing"] = False
    return found


def _batches(recipe: Recipe, factor: float) -> dict[str, Any]:
    data = recipe.data
    if data.batch_duration_s is None:
        assert data.batch_size is not None  # the schema has one of the two
        return {"batch_size": max(1, round(data.batch_size * factor))}
    found = {
        "use_lhotse": True,
        "batch_size": None,
        "batch_duration": data.batch_duration_s * factor,
    }
    if data.quadratic_duration_s is not None:
        found["quadratic_duration"] = data.quadratic_duration_s
    return found


def _endless(recipe: Recipe) -> bool:
    """Return whether the loader is Lhotse's, which begins again without ever ending an epoch."""
    return recipe.data.batch_duration_s is not None


def _optimiser(recipe: Recipe, figures: Figures) -> dict[str, Any]:
    schedule = recipe.schedule
    warmup = (
        {"warmup_ratio": schedule.warmup_share}
        if schedule.warmup_share is not None
        else {"warmup_steps": figures.warmup_steps}
    )
    sched = {"name": schedule.name, **warmup, "min_lr": schedule.min_lr}
    if figures.max_steps is not None:
        sched["max_steps"] = "${trainer.max_steps}"
    return {
        "name": recipe.optimiser.name,
        "lr": recipe.optimiser.lr,
        "betas": list(recipe.optimiser.betas),
        "weight_decay": recipe.optimiser.weight_decay,
        "sched": sched,
    }


def _trainer(recipe: Recipe, figures: Figures) -> dict[str, Any]:
    said = recipe.trainer
    ends = {"max_epochs": recipe.schedule.epochs or -1, "max_steps": figures.max_steps or -1}
    if _endless(recipe):
        ends["max_epochs"] = -1  # an endless loader has no epochs: the steps end the run
    return {
        "devices": _number_of("ASRDQ_DEVICES", figures.devices),
        "num_nodes": _number_of("ASRDQ_NODES", figures.nodes),
        "accelerator": "auto",
        "strategy": _strategy(said.strategy),
        **ends,
        "precision": _PRECISIONS[said.precision],
        "accumulate_grad_batches": figures.accumulation,
        "gradient_clip_val": said.gradient_clip,
        "val_check_interval": figures.val_check_interval,
        "check_val_every_n_epoch": None if _endless(recipe) else 1,
        "limit_val_batches": 1.0 if said.limit_val_batches is None else said.limit_val_batches,
        "log_every_n_steps": said.log_every_n_steps,
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": not _endless(recipe),
        "enable_checkpointing": False,
        "logger": False,
        "benchmark": False,
    }


def _number_of(variable: str, default: int) -> str:
    return f"${{oc.decode:${{oc.env:{variable},{default}}}}}"


def _strategy(name: str) -> Any:
    if name != "ddp":
        return name
    target = "lightning.pytorch.strategies.DDPStrategy"
    return {"_target_": target, "gradient_as_bucket_view": True}


def _exp_manager(recipe: Recipe) -> dict[str, Any]:
    kept, patience = recipe.checkpoints, recipe.evaluation.patience
    watched = {"monitor": kept.monitor, "mode": kept.mode}
    checkpoints = {**watched, "save_top_k": kept.top_k, "save_last": kept.last}
    if kept.every_n_steps is not None:
        checkpoints |= {"every_n_train_steps": kept.every_n_steps, "every_n_epochs": None}
    found = {
        "exp_dir": "${oc.env:ASRDQ_RUN_DIR}",
        "name": "${name}",
        "use_datetime_version": False,
        "resume_if_exists": True,
        "resume_ignore_no_checkpoint": True,
        "create_tensorboard_logger": "tensorboard" in recipe.loggers,
        "create_wandb_logger": "wandb" in recipe.loggers,
        "create_mlflow_logger": "mlflow" in recipe.loggers,
        "create_checkpoint_callback": True,
        "checkpoint_callback_params": {**checkpoints, "always_save_nemo": True},
    }
    if "wandb" in recipe.loggers:
        found["wandb_logger_kwargs"] = {"name": "${name}", "project": "asrdq"}
    if patience is not None:
        found["create_early_stopping_callback"] = True
        found["early_stopping_callback_params"] = {**watched, "patience": patience}
    return found


def _beyond(recipe: Recipe) -> Iterator[str]:
    """Give what NeMo's own scripts would not do, so that nothing is left out silently."""
    augmentation = recipe.augmentation
    asked = {
        f"model.family {recipe.model.family}": recipe.model.family not in _PLAIN,
        "stages": bool(recipe.stages),
        "model.lora": recipe.model.lora is not None,
        "optimiser.layer_decay": recipe.optimiser.layer_decay is not None,
        "data.mix_by": bool(recipe.data.mix_by),
        "augmentation.speed_perturbation": bool(augmentation.speed_perturbation),
        "augmentation.noise_snr_db": bool(augmentation.noise_snr_db),
        "trainer.gradient_checkpointing": recipe.trainer.gradient_checkpointing,
        "evaluation.per_domain_clips": recipe.evaluation.per_domain_clips is not None,
    }
    yield from (key for key, is_asked in asked.items() if is_asked)
