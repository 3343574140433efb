"""What a CTC model is, wherever it comes from: a probability of each token at each frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
LogPosteriors = npt.NDArray[np.float32]


class CtcModel(Protocol):
    """A loaded CTC model.

    Attributes:
        sample_rate: Rate in Hz of the audio that it takes.
        frame_s: Seconds from one frame to the next.
        blank: Index of the blank.
        delimiter: Index of the token that stands between words; None where there is none.
        characters: All characters it can write.
    """

    sample_rate: int
    frame_s: float
    blank: int
    delimiter: int | None
    characters: frozenset[str]

    def use_language(self, code: str) -> None:
        """Make ready for a language, where the model has an adapter or a tokenizer for each.

        Raises:
            ToolError: It has none for this one.
        """
        ...

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of one word that is made of its characters alone."""
        ...

    def log_posteriors(self, clips: Sequence[Samples]) -> list[LogPosteriors]:
        """Return natural logarithms, (frames, tokens), for each clip, the same in any batch.

        A clip that is shorter than what a frame looks at has no frames.

        Raises:
            torch.OutOfMemoryError: There is not enough memory for these clips together.
        """
        ...
