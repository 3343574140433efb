"""What an aligner is: the protocol every backend follows, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt


class AlignmentStatus(StrEnum):
    """How an alignment ended."""

    ALIGNED = "aligned"
    NO_ALIGNMENT = "no_alignment"
    OUT_OF_VOCABULARY = "out_of_vocabulary"
    TOO_LONG = "too_long"
    CRASHED = "aligner_crashed"
    FAILED = "aligner_failed"


@dataclass(frozen=True, slots=True)
class WordSpan:
    """A word placed in the audio: seconds from its start, score per frame (log, at most 0)."""

    word: str
    start_s: float
    end_s: float
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Alignment:
    """What an aligner answers for one clip.

    Attributes:
        status: `aligned` (every word has its span), `no_alignment` (the search found no path
            through the text: evidence against the transcript), or why the aligner cannot
            judge the clip.
        spans: One span a word, in the order of the text; empty unless aligned.
        evidence: Named measurements of how well the audio supports the text, for calibration;
            the backend's `evidence_names` lists them. NaN where one does not apply: it then
            speaks neither for nor against the clip, as if it had the median of right clips.
        detail: What a person should know, such as the words that cannot be pronounced.
    """

    status: AlignmentStatus
    spans: tuple[WordSpan, ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict)
    detail: str = ""


@runtime_checkable
class Aligner(Protocol):
    """A forced aligner. One is built and loaded in each worker process and used for many clips.

    Building one costs next to nothing: the command does it too, to know name and version.

    Attributes:
        name: Name in settings and in the entry-point group `asrdq.aligners`.
        version: Version of the tool, its model and this backend: part of every cache key.
        sample_rate: Rate in Hz that `align` wants its samples in.
        languages: Codes it can align; work in another language is refused before it starts.
        longest_s: Longest clip it aligns, in seconds.
        evidence_names: The keys of `Alignment.evidence`.
        strain: The evidence that is 1 where only extraordinary effort found an alignment, else 0;
            None where the aligner makes no such difference.
    """

    name: str
    version: str
    sample_rate: int
    languages: frozenset[str]
    longest_s: float
    evidence_names: tuple[str, ...]
    strain: str | None

    def load(self) -> None:
        """Load whatever `align` needs, so that an aligner that cannot run stops the command.

        Raises:
            ToolError: A model or a package is missing; any other exception is fatal as well.
        """
        ...

    def align(
        self, samples: npt.NDArray[np.float32], words: Sequence[str], voiced: npt.NDArray[np.bool_]
    ) -> Alignment:
        """Align spoken words with mono samples in -1…1 of shape (n,).

        Args:
            samples: The audio at `sample_rate`.
            words: Words in lower case, as `asrdq.text.spoken_words` gives them.
            voiced: Voice activity, one value for each 30 ms frame.
        """
        ...
