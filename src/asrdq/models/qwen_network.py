"""The network of Qwen3-ASR with a `forward`, which that of qwen-asr 0.0.6 lacks."""

from __future__ import annotations

from typing import Any

import torch
from qwen_asr.core import transformers_backend as upstream


class Qwen3ASRForConditionalGeneration(upstream.Qwen3ASRForConditionalGeneration):  # type: ignore[misc]
    """Has the name of the class it extends, for that is what a saved configuration says.

    Audio goes through the encoder clip by clip, so that a clip sounds the same in any batch.
    """

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        input_features: torch.Tensor,
        feature_attention_mask: torch.Tensor,
        **options: Any,
    ) -> Any:
        """Return logits of shape (clips, tokens, vocabulary), without a loss.

        Args:
            input_ids: Tokens, padded, (clips, tokens).
            attention_mask: 1 where a token is, (clips, tokens).
            input_features: Mel spectrograms, (clips, bands, frames).
            feature_attention_mask: 1 where a frame is, (clips, frames).
            options: Given on to the network.
        """
        return self.thinker(
            input_ids=input_ids,
            attention_mask=attention_mask,
            input_features=input_features.to(self.thinker.dtype),
            feature_attention_mask=feature_attention_mask,
            use_cache=False,
            **options,
        )
