"""The configuration of a run: that of the bundle, with what this machine and this run decide."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.handoff.nemo_config import nemo_config

if TYPE_CHECKING:
    import torch
    from omegaconf import DictConfig

    from asrdq.training.job import TrainingJob

TAGS_OF_CANARY = {"lang_field": "target_lang"}


def settings_of(
    job: TrainingJob, train: Path, validation: Path, groups: Sequence[Mapping[str, Any]] = ()
) -> DictConfig:
    """Return the configuration that a hand-off writes, with the manifests of this run in it.

    Batches come in an order that the seed decides: Lhotse's shards are seeded too, and its
    buckets are filled in this thread.

    Args:
        job: The run.
        train: What `material.prepare` wrote.
        validation: The same of the validation manifest.
        groups: What `mixing.mixed` made of the training manifest; none where it is not mixed.
    """
    from omegaconf import OmegaConf, open_dict

    settings: Any = OmegaConf.create(nemo_config(job.recipe, job.figures).text)
    model, seed = settings.model, job.recipe.trainer.seed
    for dataset, path in ((model.train_ds, train), (model.validation_ds, validation)):
        dataset.manifest_filepath = str(path)
        if not dataset.get("use_lhotse"):
            continue
        dataset.update({"shard_seed": seed, "seed": seed, "pretokenize": False})
        if dataset.get("use_bucketing"):
            dataset.concurrent_bucketing = False
        if job.recipe.model.family == "aed":
            dataset.update(TAGS_OF_CANARY)
    if groups:
        model.train_ds.update({"manifest_filepath": None, "input_cfg": [dict(g) for g in groups]})
    if job.recipe.data.batch_duration_s is not None:
        model.validation_ds.force_finite = True
    model.optim.sched.max_steps = job.figures.steps
    with open_dict(settings):
        del settings["exp_manager"]
    OmegaConf.resolve(settings.model)
    found: DictConfig = settings
    return found


def trainer_settings(
    settings: DictConfig, job: TrainingJob, device: torch.device
) -> dict[str, Any]:
    """Return what Lightning's trainer is made with, but for callbacks and validation.

    There are as many processes as torchrun has started, one for each GPU. On a CPU everything is
    computed in single precision, whatever the recipe says of a GPU.
    """
    from omegaconf import OmegaConf

    resolved: Any = OmegaConf.to_container(settings.trainer, resolve=True)
    on_gpu, here, world = device.type == "cuda", processes_here(), processes()
    pinned = on_gpu and device.index is not None
    said: dict[str, Any] = {
        **resolved,
        "accelerator": "gpu" if on_gpu else "cpu",
        "devices": [device.index] if pinned else here,
        "num_nodes": world // here,
        "strategy": "auto" if world == 1 else "ddp",
        "max_steps": job.figures.steps,
        "max_epochs": -1,
        "check_val_every_n_epoch": None,
        "use_distributed_sampler": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "default_root_dir": str(job.run_dir),
    }
    return said if on_gpu else {**said, "precision": "32-true"}


def processes_here() -> int:
    """Return how many processes of the run are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def processes() -> int:
    """Return how many processes the run has."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def validation_interval(job: TrainingJob, per_epoch: float) -> int:
    """Return the passes between validations, whole steps of them.

    Args:
        job: The run; its interval is in passes, or a share of the epoch.
        per_epoch: Passes of an epoch.
    """
    figures = job.figures
    given = figures.val_check_interval
    passes = given if isinstance(given, int) else given * per_epoch
    steps = max(1, round(passes / figures.accumulation))
    return min(steps, figures.steps) * figures.accumulation
