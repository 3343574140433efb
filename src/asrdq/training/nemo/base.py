"""The model that a run starts from, made ready for it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import UsageError
from asrdq.models.nemo import load_nemo, quiet_nemo

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from asrdq.training.job import TrainingJob
    from asrdq.training.nemo.material import Material


def build_model(job: TrainingJob, settings: DictConfig, *, on_cpu: bool) -> Any:
    """Load the base of a run and give it everything of the recipe but its data.

    Args:
        job: The run.
        settings: Its configuration.
        on_cpu: Whether it trains on a CPU, where a TDT model needs a loss of its own.

    Raises:
        ToolError: There is no such base.
        UsageError: It is of another family than the recipe says, or the recipe asks of it what it
            has not got.
    """
    import torch
    from omegaconf import open_dict

    model = load_nemo(job.base, torch.device("cpu"))
    family = family_of(model)
    if family != job.recipe.model.family:
        raise UsageError(
            f"this model is of the family {family}, the recipe is for {job.recipe.model.family}",
            where=job.base,
            hint="change model.family, or take another base",
        )
    with quiet_nemo(), open_dict(model.cfg):
        if job.recipe.model.tokenizer is not None:
            _change_vocabulary(model, Path(job.recipe.model.tokenizer))
        _augment(model, settings)
        _validate(model, job)
        model.cfg.optim = _optimiser(settings, model)
    if on_cpu:
        from asrdq.training.nemo.transducer_loss import run_on_cpu

        run_on_cpu(model)
    if job.recipe.optimiser.layer_decay is not None:
        decay = job.recipe.optimiser.layer_decay
        model.setup_optimizer_param_groups = partial(_decaying_groups, model, job, decay)
    return model


def family_of(model: Any) -> str:
    """Return the family of a model: `ctc`, `rnnt`, `tdt`, `hybrid` or `aed`.

    A hybrid of TDT and CTC is a hybrid.
    """
    from nemo.collections.asr import models

    from asrdq.training.nemo.transducer_loss import is_tdt

    if isinstance(model, models.EncDecMultiTaskModel):
        return "aed"
    if isinstance(model, models.EncDecHybridRNNTCTCModel):
        return "hybrid"
    if isinstance(model, models.EncDecRNNTModel):
        return "tdt" if is_tdt(model) else "rnnt"
    if isinstance(model, models.EncDecCTCModel):
        return "ctc"
    raise UsageError(f"{type(model).__name__} is no model of speech recognition that is trained")


def check_languages(model: Any, materials: tuple[Material, ...]) -> None:
    """Refuse languages that Canary's tokenizer has no token for.

    Raises:
        UsageError: There is one.
    """
    tokens = getattr(model.tokenizer, "special_tokens", None)
    if family_of(model) != "aed" or tokens is None:
        return
    spoken = frozenset().union(*(each.languages for each in materials))
    unknown = sorted(each for each in spoken if f"<|{each}|>" not in tokens)
    if unknown:
        raise UsageError(f"the base has no token for the language {', '.join(unknown)}")


def _change_vocabulary(model: Any, folder: Path) -> None:
    from asrdq.training.nemo.transducer_loss import rebuild_loss

    kind = "bpe" if (folder / "tokenizer.model").exists() else "wpe"
    model.change_vocabulary(new_tokenizer_dir=str(folder), new_tokenizer_type=kind)
    rebuild_loss(model)


def _augment(model: Any, settings: DictConfig) -> None:
    """Mask as the recipe says; a recipe without masks takes those of the base away."""
    masks = settings.model.get("spec_augment")
    model.cfg.spec_augment = masks
    model.spec_augmentation = None if masks is None else type(model).from_config_dict(masks)


def _validate(model: Any, job: TrainingJob) -> None:
    """Compute a loss in validation where the run is judged by it; it takes memory."""
    watched = job.recipe.checkpoints.monitor, job.recipe.evaluation.metric
    if "val_loss" in watched or "loss" in watched:
        model.cfg.compute_eval_loss = model.compute_eval_loss = True
    for name in ("wer", "ctc_wer"):
        metric = getattr(model, name, None)
        if metric is not None:
            metric.log_prediction = False


def _optimiser(settings: DictConfig, model: Any) -> DictConfig:
    found: DictConfig = settings.model.optim.copy()
    if found.sched.name == "NoamAnnealing":
        found.sched.d_model = model.cfg.encoder.d_model
    return found


def _decaying_groups(model: Any, job: TrainingJob, decay: float) -> None:
    """Make a group of parameters for each layer of the encoder, slower from top to bottom.

    What follows the encoder learns at the full rate, its top layer at `decay` of that, and what
    lies under its lowest layer slowest.
    """
    layers = list(model.encoder.layers)
    count, lr = len(layers), job.recipe.optimiser.lr
    depths = {id(p): count - i for i, layer in enumerate(layers) for p in layer.parameters()}
    groups: dict[int, list[Any]] = {}
    for name, parameter in model.named_parameters():
        under = count + 1 if name.startswith("encoder.") else 0
        groups.setdefault(depths.get(id(parameter), under), []).append(parameter)
    slowest = lr * decay ** max(groups)
    if slowest <= job.recipe.schedule.min_lr:
        raise UsageError(
            f"optimiser.layer_decay {decay:g} leaves {slowest:.2g} for the lowest layer of the "
            f"encoder, no more than schedule.min_lr {job.recipe.schedule.min_lr:g}"
        )
    model._optimizer_param_groups = [
        {"params": groups[depth], "lr": lr * decay**depth} for depth in sorted(groups)
    ]
