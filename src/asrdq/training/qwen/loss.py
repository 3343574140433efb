"""The loss: of the answers alone, shared evenly by all tokens of a step."""

from __future__ import annotations

from typing import Any

import torch

from asrdq.training.qwen.labels import IGNORED


def answer_loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> Any:
    """Return the cross-entropy of the answers, summed, over the tokens of the whole step.

    Only logits that a loss is taken of are made into 32-bit numbers.
    """
    following = labels[:, 1:]
    counted = following != IGNORED
    logits = outputs.logits[:, :-1][counted].float()
    total = torch.nn.functional.cross_entropy(logits, following[counted], reduction="sum")
    items = counted.sum() if num_items_in_batch is None else num_items_in_batch
    return total / torch.as_tensor(items, device=total.device).clamp(min=1)
