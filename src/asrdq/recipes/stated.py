"""What a recipe says of the run that it was written for, so that its arithmetic can be checked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from asrdq.strict import Strict

Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]


class Stated(Strict):
    """Figures of one run, as its authors gave them; `asrdq plan` says which do not fit.

    Attributes:
        rows: Training clips.
        hours: Hours of training audio.
        gpus: GPUs of all nodes.
        effective_batch: Clips a step.
        steps_per_epoch: Steps an epoch.
        steps: Steps of the run.
        scheduler_steps: Steps that the scheduler was told.
        epochs: Epochs of the run.
        training_hours: How long it trained.
        steps_per_second: Steps a second.
        clips_per_second: Clips a second, on all GPUs together.
        usd_per_hour: What the machine cost.
        usd: What it cost in all, evaluation and reserve with it.
    """

    rows: Count | None = None
    hours: Positive | None = None
    gpus: Count | None = None
    effective_batch: Count | None = None
    steps_per_epoch: Count | None = None
    steps: Count | None = None
    scheduler_steps: Count | None = None
    epochs: Positive | None = None
    training_hours: Positive | None = None
    steps_per_second: Positive | None = None
    clips_per_second: Positive | None = None
    usd_per_hour: Positive | None = None
    usd: Positive | None = None
