"""What a recipe may say: everything about a training run but its data and its machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, model_validator

from asrdq.recipes.model import Backend, ModelSection
from asrdq.recipes.stated import Stated
from asrdq.strict import Share, Strict

Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]

SCHEDULES: Mapping[Backend, tuple[str, ...]] = {
    "nemo": (
        "CosineAnnealing",
        "InverseSquareRootAnnealing",
        "NoamAnnealing",
        "NoamHoldAnnealing",
        "WarmupAnnealing",
        "WarmupHoldPolicy",
    ),
    "qwen": ("linear", "cosine", "constant_with_warmup", "inverse_sqrt"),
    "hf": ("linear", "cosine", "constant_with_warmup", "inverse_sqrt"),
}
"""Schedules of each backend, by the names that the trainer itself has for them."""


def _steps_or_share(value: object) -> int | float:
    """Take whole steps, or a share of the epoch up to 1.0, as Lightning tells them apart."""
    number = float(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ValueError(f"{value!r} is no number of steps and no share of an epoch")
    if isinstance(number, int) and number >= 1:
        return number
    if isinstance(number, float) and 0.0 < number <= 1.0:
        return number
    raise ValueError(f"{value} is neither whole steps (400) nor a share of the epoch (0.5)")


StepsOrShare = Annotated[int | float, PlainValidator(_steps_or_share)]


class DataSection(Strict):
    """What the loader keeps, and how it makes batches.

    Attributes:
        min_duration_s: Shorter clips are dropped; one of exactly this length stays.
        max_duration_s: Longer clips are dropped; one of exactly this length stays.
        keep_empty_text: Whether clips without a word are trained on, as silence.
        batch_size: Clips a GPU and pass; or
        batch_duration_s: seconds of audio a GPU and pass.
        quadratic_duration_s: q of Lhotse's effective length d + d² ÷ q; long clips cost more.
        validation_batch_factor: Validation batches are this many times the training ones.
        buckets: Buckets of clips of like length; None: one for all.
        mix_by: Columns of nested groups that are mixed by temperature, the outer one first.
        temperature: τ of that mixing: 1 by size, 0 all alike.
        workers: Loader processes a GPU.
        prefetch: Batches that each of them holds ready.
    """

    min_duration_s: Annotated[float, Field(ge=0.0)] = 0.1
    max_duration_s: Positive
    keep_empty_text: bool = False
    batch_size: Count | None = None
    batch_duration_s: Positive | None = None
    quadratic_duration_s: Positive | None = None
    validation_batch_factor: Positive = 1.0
    buckets: Count | None = None
    mix_by: tuple[str, ...] = ()
    temperature: Share = 1.0
    workers: Annotated[int, Field(ge=0)] = 8
    prefetch: Count = 2

    @model_validator(mode="after")
    def _consistent(self) -> DataSection:
        if (self.batch_size is None) == (self.batch_duration_s is None):
            raise ValueError("a batch is either batch_size clips or batch_duration_s seconds")
        if self.quadratic_duration_s is not None and self.batch_duration_s is None:
            raise ValueError("quadratic_duration_s goes with batch_duration_s")
        if self.min_duration_s >= self.max_duration_s:
            raise ValueError("min_duration_s lies above max_duration_s: no clip is left")
        return self


class OptimiserSection(Strict):
    """The optimiser; `layer_decay` multiplies the learning rate from each layer to the one below.

    `lr` is for everything that a stage gives no rate of its own.
    """

    name: Literal["adamw", "adam", "novograd"] = "adamw"
    lr: Positive
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0
    betas: tuple[Share, Share] = (0.9, 0.999)
    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)] | None = None


class ScheduleSection(Strict):
    """How the learning rate moves, and when the run ends: after `max_steps` or `epochs`.

    The scheduler gets the steps that the trainer makes. Where both ends are given, the first one
    counts. Without `warmup_steps` and `warmup_share` the plan chooses the warm-up by the data.
    """

    name: str
    warmup_steps: Annotated[int, Field(ge=0)] | None = None
    warmup_share: Share | None = None
    min_lr: Annotated[float, Field(ge=0.0)] = 0.0
    max_steps: Count | None = None
    epochs: Count | None = None

    @model_validator(mode="after")
    def _ends(self) -> ScheduleSection:
        if self.max_steps is None and self.epochs is None:
            raise ValueError("when does the run end? say epochs or max_steps")
        if self.warmup_steps is not None and self.warmup_share is not None:
            raise ValueError("warmup_steps and warmup_share exclude one another")
        return self


class TrainerSection(Strict):
    """The loop around the model.

    Attributes:
        effective_batch: Clips a step on all GPUs together; accumulation follows from it.
        accumulation: Passes a step; None where `effective_batch` decides.
        val_check_interval: Steps, or a share of the epoch, between validations; None: the plan
            chooses by `evaluation.per_epoch`.
        limit_val_batches: Batches, or a share of them, that a validation reads at most.
        environment: Variables that the launch scripts set.
    """

    precision: Literal["bf16-mixed", "bf16-true", "fp16-mixed", "fp32"] = "bf16-mixed"
    strategy: Literal["ddp", "fsdp"] = "ddp"
    effective_batch: Count | None = None
    accumulation: Count | None = None
    gradient_clip: Annotated[float, Field(ge=0.0)] = 1.0
    gradient_checkpointing: bool = False
    val_check_interval: StepsOrShare | None = None
    limit_val_batches: StepsOrShare | None = None
    log_every_n_steps: Count = 10
    seed: int = 42
    devices: Count = 1
    nodes: Count = 1
    environment: Mapping[str, str] = Field(default_factory=dict)


class Stage(Strict):
    """Which groups of parameters train from an epoch on (the first is 1), and how fast."""

    from_epoch: Count
    train: Annotated[tuple[str, ...], Field(min_length=1)]
    lr: Mapping[str, Positive] = Field(default_factory=dict)
    note: str | None = None


class SpecAugment(Strict):
    """Masks over the spectrogram: how many, and how wide; `time_width` as a share of the clip."""

    frequency_masks: Annotated[int, Field(ge=0)] = 2
    frequency_width: Count = 27
    time_masks: Annotated[int, Field(ge=0)] = 10
    time_width: Share = 0.05


class AugmentationSection(Strict):
    """What is done to training clips, never to those of an evaluation."""

    spec_augment: SpecAugment | None = None
    speed_perturbation: tuple[Annotated[float, Field(ge=0.5, le=2.0)], ...] = ()
    noise_snr_db: tuple[float, ...] = ()


class EvaluationSection(Strict):
    """How the run is judged while it trains.

    Attributes:
        metric: What is reported, and what the best checkpoint is chosen by.
        normaliser: The normaliser that it is scored under.
        per_epoch: Validations an epoch, where the trainer has no interval of its own.
        domain_column: Column whose values are scored apart.
        per_domain_clips: Clips of each of them that an evaluation generates; None: all.
        patience: Evaluations without a better one before the run stops; None: it never does.
    """

    metric: Literal["wer", "cer", "ker", "loss"] = "wer"
    normaliser: str = "basic"
    per_epoch: Count = 2
    domain_column: str | None = None
    per_domain_clips: Count | None = None
    patience: Count | None = None


class CheckpointsSection(Strict):
    """What is kept: the best by a metric, and the last."""

    monitor: str
    mode: Literal["min", "max"] = "min"
    top_k: Annotated[int, Field(ge=0)] = 3
    last: bool = True
    every_n_steps: Count | None = None


class BudgetSection(Strict):
    """Hours on the machine beside the training, which are paid for as well."""

    evaluation_hours: Annotated[float, Field(ge=0.0)] = 0.0
    reserve_hours: Annotated[float, Field(ge=0.0)] = 0.0


class HandoffSection(Strict):
    """What has to be there before data is handed to the trainer, beside a green gate."""

    requires_signoff: bool = False


class Recipe(Strict):
    """A training recipe, complete: what `extends` brings is in it."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    extends: str | None = None
    description: str | None = None
    backend: Backend
    model: ModelSection
    data: DataSection
    optimiser: OptimiserSection
    schedule: ScheduleSection
    trainer: TrainerSection = TrainerSection()
    stages: tuple[Stage, ...] = ()
    augmentation: AugmentationSection = AugmentationSection()
    evaluation: EvaluationSection = EvaluationSection()
    checkpoints: CheckpointsSection
    loggers: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ("tensorboard",)
    budget: BudgetSection = BudgetSection()
    handoff: HandoffSection = HandoffSection()
    stated: Stated | None = None

    @model_validator(mode="after")
    def _stages_fit(self) -> Recipe:
        starts = [stage.from_epoch for stage in self.stages]
        if starts and (starts[0] != 1 or starts != sorted(set(starts))):
            raise ValueError(f"stages begin at the epochs {starts}: they must rise from 1")
        epochs = self.schedule.epochs
        if starts and epochs is not None and starts[-1] > epochs:
            raise ValueError(f"a stage begins at epoch {starts[-1]}, and the run has {epochs}")
        for stage in self.stages:
            unknown = [name for name in stage.train if name not in self.model.groups]
            idle = [name for name in stage.lr if name not in stage.train]
            if unknown:
                raise ValueError(f"model.groups has no group '{unknown[0]}' that a stage trains")
            if idle:
                raise ValueError(f"a stage has a learning rate for '{idle[0]}' and no training")
        return self

    @model_validator(mode="after")
    def _schedule_is_known(self) -> Recipe:
        known = SCHEDULES[self.backend]
        if self.schedule.name not in known:
            raise ValueError(
                f"schedule.name '{self.schedule.name}' is none of {self.backend}: "
                f"{', '.join(known)}"
            )
        return self
