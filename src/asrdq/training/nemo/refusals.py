"""What a recipe may ask for that this backend cannot do: refused by name, never left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asrdq.errors import Problem, UsageError
from asrdq.training.nemo.mixing import mixes

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob

MONITORS = {"val_wer": "min", "val_loss": "min"}
"""What a checkpoint can be chosen by, and which way is better."""
_FAMILIES = ("ctc", "rnnt", "tdt", "hybrid", "aed")


def refuse_what_is_not_done(job: TrainingJob) -> None:
    """Refuse a recipe that asks for what this backend cannot do.

    Raises:
        UsageError: With everything that is in the way.
    """
    problems = [*_of_model(job), *_of_data(job), *_of_schedule(job), *_of_evaluation(job)]
    problems += _of_trainer(job)
    if problems:
        raise UsageError(
            f"the backend nemo cannot train {job.recipe.name}",
            problems=[Problem(problem) for problem in problems],
            hint="change these in the recipe, and hand off again",
        )


def _of_model(job: TrainingJob) -> Iterator[str]:
    model, optimiser = job.recipe.model, job.recipe.optimiser
    if model.family not in _FAMILIES:
        yield f"model.family {model.family}: it trains {', '.join(_FAMILIES)}"
    if model.lora is not None:
        yield "model.lora: all weights are trained, there are no adapters"
    if job.recipe.stages:
        yield "stages: all groups train from the first step to the last"
    if model.tokenizer is not None and model.family == "aed":
        yield "model.tokenizer: Canary's tokenizer holds its prompts and is not replaced"
    if optimiser.layer_decay is not None and job.recipe.schedule.name == "WarmupAnnealing":
        yield "optimiser.layer_decay: NeMo's WarmupAnnealing has one learning rate for all groups"


def _of_data(job: TrainingJob) -> Iterator[str]:
    data, augmentation = job.recipe.data, job.recipe.augmentation
    if mixes(data) and data.batch_duration_s is None:
        yield "data.mix_by: groups are mixed where batches are counted by batch_duration_s"
    if data.buckets is not None and data.batch_duration_s is None:
        yield "data.buckets: buckets go with batch_duration_s"
    if job.recipe.model.family == "aed" and data.batch_duration_s is None:
        yield "data.batch_size: Canary is trained with batch_duration_s"
    if augmentation.speed_perturbation:
        yield "augmentation.speed_perturbation: there is none"
    if augmentation.noise_snr_db:
        yield "augmentation.noise_snr_db: there is no noise to be mixed in"


def _of_schedule(job: TrainingJob) -> Iterator[str]:
    schedule, optimiser = job.recipe.schedule, job.recipe.optimiser
    if schedule.name.startswith("Noam") and job.figures.warmup_steps == 0:
        yield f"schedule.warmup_steps 0: {schedule.name} is made of its warm-up"
    if schedule.min_lr >= optimiser.lr:
        yield f"schedule.min_lr {schedule.min_lr:g}: it is not under optimiser.lr"


def _of_evaluation(job: TrainingJob) -> Iterator[str]:
    evaluation, kept = job.recipe.evaluation, job.recipe.checkpoints
    if evaluation.metric not in ("wer", "loss"):
        yield f"evaluation.metric {evaluation.metric}: it validates by wer and loss"
    if evaluation.per_domain_clips is not None:
        yield "evaluation.per_domain_clips: each validation reads the whole set"
    if kept.monitor not in MONITORS:
        yield f"checkpoints.monitor {kept.monitor}: one of {', '.join(MONITORS)}"
    elif kept.mode != MONITORS[kept.monitor]:
        yield f"checkpoints.mode {kept.mode}: a smaller {kept.monitor} is better"


def _of_trainer(job: TrainingJob) -> Iterator[str]:
    trainer = job.recipe.trainer
    if trainer.strategy != "ddp":
        yield f"trainer.strategy {trainer.strategy}: several GPUs train with ddp"
    if trainer.gradient_checkpointing:
        yield "trainer.gradient_checkpointing: NeMo's encoders have none"
