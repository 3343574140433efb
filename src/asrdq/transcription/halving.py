"""Batches that do not fit the memory of a GPU are halved."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asrdq.transcription.protocol import Samples, Transcription


def halving(
    transcribe: Callable[[Sequence[Samples]], list[Transcription]], clips: Sequence[Samples]
) -> list[Transcription]:
    """Return what a model says of clips, in halves where the GPU has no memory for them together.

    Raises:
        torch.OutOfMemoryError: There is no memory for one clip by itself.
    """
    import torch

    try:
        return transcribe(clips)
    except torch.OutOfMemoryError:
        if len(clips) == 1:
            raise
    torch.cuda.empty_cache()
    half = len(clips) // 2
    return halving(transcribe, clips[:half]) + halving(transcribe, clips[half:])
