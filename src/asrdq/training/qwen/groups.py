"""The parameters of a Qwen3-ASR network, by the part and the layer they belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asrdq.errors import ToolError, UsageError
from asrdq.training.qwen.stages import ALL, StagePlan

if TYPE_CHECKING:
    from asrdq.recipes.model import ParameterGroup

_WRAPPED: Final = re.compile(r"_fsdp_wrapped_module\.|_checkpoint_wrapped_module\.|^module\.")
_ADAPTED: Final = re.compile(r"^base_model\.model\.")
_LAYER: Final = re.compile(r"thinker\.(audio_tower|model)\.layers\.(\d+)\.")
_STACKS: Final = {"audio_tower": "audio", "model": "language"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter is.

    Attributes:
        part: `audio`, `projector`, `language` or `head`, as in a recipe.
        below: Layers between it and the top of its part, which has 0; the norm above the layers
            is at the top, what lies before the first layer is below all of them.
    """

    part: str
    below: int = 0


@dataclass(frozen=True)
class Anatomy:
    """How many layers a network has, and whether its head shares its weights with the embeddings.

    Where it does, the head is that tensor, which `named_parameters` calls `embed_tokens`.
    """

    audio_layers: int
    language_layers: int
    tied: bool

    @classmethod
    def of(cls, network: Any) -> Anatomy:
        """Look at a network."""
        thinker = network.thinker
        embeddings = thinker.model.embed_tokens.weight
        return cls(
            len(thinker.audio_tower.layers),
            len(thinker.model.layers),
            thinker.lm_head.weight is embeddings,
        )

    def place(self, name: str) -> Place:
        """Return where a parameter of this name is, adapters of a layer in that layer.

        Raises:
            ToolError: No part is known for it, so nobody can say when it trains.
        """
        name = _ADAPTED.sub("", plain_name(name))
        layer = _LAYER.match(name)
        if layer:
            part = _STACKS[layer[1]]
            return Place(part, self._layers(part) - 1 - int(layer[2]))
        if name.startswith(("thinker.audio_tower.proj1.", "thinker.audio_tower.proj2.")):
            return Place("projector")
        if name.startswith("thinker.audio_tower.ln_post."):
            return Place("audio")
        if name.startswith("thinker.audio_tower.conv"):
            return Place("audio", self.audio_layers)
        if name.startswith("thinker.model.norm."):
            return Place("language")
        if name.startswith("thinker.model.embed_tokens."):
            return Place("head") if self.tied else Place("language", self.language_layers)
        if name.startswith("thinker.lm_head."):
            return Place("head")
        raise ToolError(f"the parameter {name} belongs to no part that is known of Qwen3-ASR")

    def _layers(self, part: str) -> int:
        return self.audio_layers if part == "audio" else self.language_layers

    def holds(self, group: ParameterGroup, name: str) -> bool:
        """Return whether a parameter belongs to a group."""
        place = self.place(name)
        return place.part == group.part and place.below < (group.top_layers or 1 << 30)

    def check(self, groups: Mapping[str, ParameterGroup]) -> None:
        """Refuse groups that this network cannot have.

        Raises:
            UsageError: A part is none of Qwen3-ASR, or has fewer layers.
        """
        for name, group in groups.items():
            if group.part not in ("audio", "projector", "language", "head"):
                raise UsageError(
                    f"the group '{name}' is of the part {group.part}, which Qwen3-ASR has not",
                    hint="audio, projector, language, head",
                )
            if group.top_layers is None:
                continue
            there = self._layers(group.part) if group.part in _STACKS.values() else 0
            if group.top_layers > there:
                raise UsageError(
                    f"the group '{name}' takes {group.top_layers} layers of the part "
                    f"{group.part}, which has {there}"
                )


def plain_name(name: str) -> str:
    """Return the name of a parameter without what wrappers put before it."""
    return _WRAPPED.sub("", name)


@dataclass(frozen=True)
class Member:
    """A parameter that trains at some time.

    Attributes:
        name: Its plain name.
        parameter: Itself.
        groups: The groups of the recipe that hold it.
        below: Layers between it and the top of its part.
    """

    name: str
    parameter: Any
    groups: tuple[str, ...]
    below: int


def members(
    network: Any,
    anatomy: Anatomy,
    plan: StagePlan,
    groups: Mapping[str, ParameterGroup],
) -> list[Member]:
    """Return the parameters that ever train; where there are adapters, only theirs.

    Raises:
        UsageError: A group has nothing that trains, or two groups that train together share a
            parameter.
    """
    named = [(plain_name(name), each) for name, each in network.named_parameters()]
    if any("lora_" in name for name, _ in named):
        named = [(name, each) for name, each in named if "lora_" in name]
    found = []
    for name, parameter in named:
        held = tuple(
            group
            for group in sorted(plan.groups)
            if group == ALL or anatomy.holds(groups[group], name)
        )
        if held:
            found.append(Member(name, parameter, held, anatomy.place(name).below))
    for group in sorted(plan.groups):
        if not any(group in member.groups for member in found):
            raise UsageError(
                f"the group '{group}' has nothing to train",
                hint="with adapters, model.lora.modules has to name modules in it",
            )
    for rates in plan.rates:
        for member in found:
            both = [group for group in member.groups if group in rates]
            if len(both) > 1:
                raise UsageError(
                    f"the groups '{both[0]}' and '{both[1]}' train in one stage and share "
                    f"{member.name}"
                )
    return found


def set_training(network: Any, found: list[Member], rates: Mapping[str, float]) -> dict[str, int]:
    """Let a stage begin: what is in its groups trains, everything else rests.

    Returns:
        Parameters of each group that train now.
    """
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    counts = dict.fromkeys(rates, 0)
    for member in found:
        for group in member.groups:
            if group in rates:
                member.parameter.requires_grad_(True)
                counts[group] += member.parameter.numel()
    return counts
