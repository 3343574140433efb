"""The section `watch` of the settings: when a training run needs a person (docs/watch.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from asrdq.strict import Share, Strict

Positive = Annotated[float, Field(gt=0.0)]


class UnfreezeSettings(Strict):
    """How the training loss may go after layers were unfrozen.

    The absolute limits belong to losses of about 0.2 before the unfreeze; `auto` takes them where
    the loss before lies from `scale_low` to `back`, and the ratios to that loss elsewhere.
    """

    scale: Literal["auto", "absolute", "ratio"] = "auto"
    scale_low: Positive = 0.10
    peak: Positive = 0.40
    back: Positive = 0.25
    abnormal: Positive = 0.50
    peak_ratio: Positive = 2.0
    back_ratio: Positive = 1.25
    abnormal_ratio: Positive = 2.5
    expected_steps: Annotated[int, Field(ge=1)] = 100
    abnormal_steps: Annotated[int, Field(ge=1)] = 200

    @model_validator(mode="after")
    def _in_order(self) -> UnfreezeSettings:
        limits = (self.back, self.peak, self.abnormal)
        ratios = (self.back_ratio, self.peak_ratio, self.abnormal_ratio)
        for given in (limits, ratios, (self.expected_steps, self.abnormal_steps)):
            if list(given) != sorted(given):
                raise ValueError(f"{given} must be in rising order: back, peak, abnormal")
        return self


class WatchSettings(Strict):
    """Limits of the rules that `asrdq watch` holds against a run.

    `metric` is the rate that is reported; `auto` takes the first of WER, KER, CER and loss that the
    validation logs have. `stop` names the rules that stop a run; the others warn.
    """

    metric: Annotated[str, Field(min_length=1)] = "auto"
    stop: tuple[str, ...] = ("non_finite_loss",)
    overfit_evaluations: Annotated[int, Field(ge=2)] = 3
    patience: Annotated[int, Field(ge=1)] = 5
    maximum_epochs: Positive = 30.0
    unfreeze: UnfreezeSettings = UnfreezeSettings()
    gradient_unstable: Positive = 50.0
    gradient_vanishing: Positive = 0.01
    gradient_in_a_row: Annotated[int, Field(ge=1)] = 3
    learning_rate_floor_share: Share = 0.80
    compute_share_minimum: Share = 0.80
    samples_per_second_minimum: Annotated[float, Field(ge=0.0)] = 3.0
    memory_gb: Positive = 40.0
    memory_alarm_gb: Positive = 38.0
    gpu_use_minimum: Share = 0.80
