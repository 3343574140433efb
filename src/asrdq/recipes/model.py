"""The model that a recipe trains, and the groups of parameters that stages name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from asrdq.strict import Strict

Backend = Literal["nemo", "qwen", "hf"]
Family = Literal["ctc", "rnnt", "tdt", "hybrid", "aed", "qwen3-asr", "whisper"]

Parameters = Annotated[int, Field(ge=1)]


class ParameterGroup(Strict):
    """Parameters that train or rest together.

    Attributes:
        part: The part of the model that they belong to.
        top_layers: Only the layers nearest to the output; None: the whole part.
        parameters: How many they are.
        to_output: Parameters from the first of them to the output of the model. Where the group
            is the lowest one that trains, the activations of these are kept for the gradient.
            None: of the whole model.
    """

    part: Literal["encoder", "audio", "projector", "language", "decoder", "joint", "head"]
    top_layers: Annotated[int, Field(ge=1)] | None = None
    parameters: Parameters
    to_output: Parameters | None = None


class Lora(Strict):
    """Low-rank adapters in place of the weights themselves; merged into them on export."""

    rank: Annotated[int, Field(ge=1)] = 16
    alpha: Annotated[int, Field(ge=1)] = 32
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.05
    modules: tuple[str, ...] = ("q_proj", "v_proj")


class ModelSection(Strict):
    """What is trained.

    Attributes:
        base: A name on a hub, a `.nemo` file or a folder.
        family: What kind of decoder it has.
        parameters: How many it has in all.
        tokenizer: A folder with a tokenizer that takes the place of the model's own.
        groups: Its groups of parameters, where stages train some of them only.
        lora: Adapters, if it is these that train.
    """

    base: str
    family: Family
    parameters: Parameters
    tokenizer: str | None = None
    groups: Mapping[str, ParameterGroup] = Field(default_factory=dict)
    lora: Lora | None = None

    @model_validator(mode="after")
    def _groups_fit(self) -> ModelSection:
        for name, group in self.groups.items():
            if max(group.parameters, group.to_output or 0) > self.parameters:
                raise ValueError(f"the group '{name}' is larger than the model")
        return self
