"""The backend `qwen`: Qwen3-ASR with Hugging Face's trainer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrdq.errors import Problem, ToolError, UsageError
from asrdq.models import device_of, needs
from asrdq.models.qwen import check_qwen_folder, taken_apart
from asrdq.text.normalisers import normaliser

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob
    from asrdq.training.protocol import Trained
    from asrdq.training.run_writer import RunWriter

_FAMILY: Final = "qwen3-asr"
_MONITORED: Final = ("val_wer", "val_cer", "val_loss")
_METRICS: Final = ("wer", "cer", "loss")
_OPTIMISERS: Final = ("adamw", "adam")
_LOGGERS: Final = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}


class QwenBackend:
    """Trains Qwen3-ASR by the stages of a recipe; see `TrainingBackend`."""

    name = "qwen"
    keeps_effective_batch = True

    def check(self, job: TrainingJob) -> None:
        """Refuse what cannot run; see `TrainingBackend.check`."""
        problems = [Problem(each) for each in _not_done(job)]
        if problems:
            raise UsageError("the backend qwen cannot train this recipe", problems=problems)
        normaliser(job.recipe.evaluation.normaliser)
        for module in ("torch", "transformers", "accelerate", "qwen_asr"):
            if find_spec(module) is None:
                needs(module, "the backend qwen")
        if job.recipe.model.lora is not None:
            needs("peft", "LoRA")
        for logger in job.recipe.loggers:
            if find_spec(_LOGGERS[logger]) is None:
                raise ToolError(
                    f"the logger {logger} is not installed",
                    hint=f"pip install {_LOGGERS[logger]}, or loggers: [] in the recipe",
                )
        check_qwen_folder(job.base)
        _check_device(job)

    def stand_in(self, job: TrainingJob, folder: Path) -> Path:
        """Build a tiny model; see `TrainingBackend.stand_in`."""
        from asrdq.training.qwen.tiny import tiny_qwen

        lines = job.train.read_text(encoding="utf-8").splitlines()
        texts = (taken_apart(str(json.loads(line).get("text") or "")).text for line in lines)
        layers = max(
            (group.top_layers or 1 for group in job.recipe.model.groups.values()), default=2
        )
        return tiny_qwen(texts, folder / "base", layers=layers, width=32)

    def train(self, job: TrainingJob, log: RunWriter) -> Trained:
        """Train to the end, or until something stops it; see `TrainingBackend.train`."""
        from asrdq.training.qwen.running import run_training

        return run_training(job, log)


def _not_done(job: TrainingJob) -> Iterator[str]:
    """Give what a recipe asks for and this backend has not."""
    recipe = job.recipe
    if recipe.model.family != _FAMILY:
        yield f"model.family is {recipe.model.family}, not {_FAMILY}"
    if recipe.model.tokenizer is not None:
        yield "model.tokenizer: Qwen3-ASR keeps its own"
    if recipe.data.batch_size is None:
        yield "data.batch_duration_s: batches are clips here, data.batch_size"
    if recipe.optimiser.name not in _OPTIMISERS:
        yield f"optimiser.name {recipe.optimiser.name}: {' or '.join(_OPTIMISERS)}"
    if recipe.evaluation.metric not in _METRICS:
        yield f"evaluation.metric {recipe.evaluation.metric}: {', '.join(_METRICS)}"
    if recipe.checkpoints.monitor not in _MONITORED:
        yield f"checkpoints.monitor {recipe.checkpoints.monitor}: {', '.join(_MONITORED)}"
    if recipe.checkpoints.mode == "max":
        yield "checkpoints.mode max: of errors and losses the least is the best"


def _check_device(job: TrainingJob) -> None:
    """Refuse a device that is not there, or cannot do what the recipe asks for.

    Raises:
        ToolError: It is not there, or lacks a precision.
        UsageError: It is one of several by its number, or cannot share a model.
    """
    device = device_of(job.device)
    trainer = job.recipe.trainer
    if device.index not in (None, 0):
        raise UsageError(
            f"the trainer runs on the first GPU that it sees, not on {job.device}",
            hint=f"CUDA_VISIBLE_DEVICES={device.index} asrdq train … --device cuda",
        )
    if device.type == "cpu" and trainer.precision == "fp16-mixed":
        raise ToolError("fp16 needs a GPU", hint="trainer.precision: bf16-mixed or fp32")
    if trainer.strategy == "fsdp" and (
        device.type == "cpu" or int(os.environ.get("WORLD_SIZE", "1")) < 2
    ):
        raise UsageError("fsdp shares a model among several GPUs", hint="trainer.strategy: ddp")
