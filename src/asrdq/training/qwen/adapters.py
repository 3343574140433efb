"""Low-rank adapters: put into a network, and merged into its weights in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asrdq.errors import UsageError
from asrdq.models import needs
from asrdq.training.qwen.groups import Anatomy
from asrdq.training.qwen.stages import ALL, StagePlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asrdq.recipes.model import Lora, ParameterGroup


def with_adapters(
    network: Any,
    lora: Lora,
    plan: StagePlan,
    groups: Mapping[str, ParameterGroup],
) -> Any:
    """Return the network with adapters in its linear modules of the given names.

    Where stages train groups, only modules of these groups get adapters.

    Raises:
        UsageError: There is no such module.
        ToolError: peft is not installed.
    """
    needs("peft", "LoRA")
    import torch
    from peft import LoraConfig, get_peft_model

    anatomy = Anatomy.of(network)
    wanted = [
        name
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear)
        and name.rpartition(".")[2] in lora.modules
        and any(
            group == ALL or anatomy.holds(groups[group], f"{name}.weight") for group in plan.groups
        )
    ]
    if not wanted:
        raise UsageError(
            f"no module that trains is called {' or '.join(lora.modules)}",
            hint="model.lora.modules: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, "
            "down_proj; of the audio encoder fc1, fc2, out_proj; proj1, proj2",
        )
    config = LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=wanted
    )
    return get_peft_model(network, config)


def merged(network: Any) -> Any:
    """Return a network whose adapters, if it has any, are part of its weights."""
    merge = getattr(network, "merge_and_unload", None)
    return network if merge is None else merge()
