"""What an aligner is: the protocol every backend follows, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from typing_extensions import Protocol, runtime_checkable

Samples = npt.NDArray[np.float32]
Voiced = npt.NDArray[np.bool_]


class AlignmentStatus(StrEnum):
    """How an alignment ended."""

    ALIGNED = "aligned"
    NO_ALIGNMENT = "no_alignment"
    OUT_OF_VOCABULARY = "out_of_vocabulary"
    TOO_LONG = "too_long"
    NOT_IMPORTED = "not_imported"
    """Alignments made elsewhere have none for this clip."""
    CRASHED = "aligner_crashed"
    FAILED = "aligner_failed"


@dataclass(frozen=True, slots=True)
class WordSpan:
    """A word placed in the audio.

    Attributes:
        word: As it stands in the transcript.
        start_s: Seconds from the start of the clip.
        end_s: The same as `start_s` for a word that the aligner leaves out.
        score: Mean log posterior or log likelihood per frame, at most 0; None where there is none.
        lowest: That of its worst frame, where the aligner knows it.
        kept: Share of its characters that the aligner could look for, 0…1; the rest its model
            cannot write.
    """

    word: str
    start_s: float
    end_s: float
    score: float | None = None
    lowest: float | None = None
    kept: float = 1.0


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


@dataclass(frozen=True, slots=True)
class AlignerOptions:
    """What an aligner is built from, in this process and in workers.

    Attributes:
        name: Name of the entry point in the group `asrdq.aligners`.
        address: What follows its name and a colon: a model, a folder.
        device: Where a model runs: `auto`, `cpu`, `cuda`, `cuda:1`.
        batch_size: Most clips at once, for aligners that are faster with several.
        workers_on: What the workers of a cluster run a model on, `cpu` or `cuda`; None: they are
            of this machine.
    """

    name: str
    address: str | None = None
    device: str = "auto"
    batch_size: int = 8
    workers_on: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """A clip to align.

    Attributes:
        samples: Mono audio in -1…1 at the aligner's `sample_rate`, (n,).
        words: Words in lower case, as `asrdq.text.spoken_words` gives them.
        voiced: Voice activity, one value for each 30 ms frame.
        language: Code of the language.
        utt_id: Id of the utterance.
        path: The audio file.
        offset_s: Where the clip starts in it.
    """

    samples: Samples
    words: tuple[str, ...]
    voiced: Voiced
    language: str = "en"
    utt_id: str = ""
    path: str = ""
    offset_s: float = 0.0


@runtime_checkable
class Aligner(Protocol):
    """A forced aligner, built from `AlignerOptions`.

    One is built and loaded in each worker process and used for many clips. Building one costs
    little and loads no model: the command does it too, to know name and version.

    Attributes:
        name: Name in settings and in the entry-point group `asrdq.aligners`.
        version: Version of the tool, its model (by the hash of its content) and this backend:
            part of every cache key.
        sample_rate: Rate in Hz that `align` wants its samples in.
        languages: Codes it can align, None where only its model knows; work in another language is
            refused before it starts.
        longest_s: Longest clip it aligns, in seconds.
        evidence_names: The keys of `Alignment.evidence`.
        strain: The evidence that is 1 where only extraordinary effort found an alignment, else 0;
            None where the aligner makes no such difference.
        batch_size: Most clips it is given at once.
        processes: Most processes that one machine is to run it in; 0 for any number. On a GPU it
            is 1.
        aligns_copies: Whether it can be asked about copies with planted faults. Alignments made
            elsewhere cannot.
    """

    name: str
    version: str
    sample_rate: int
    languages: frozenset[str] | None
    longest_s: float
    evidence_names: tuple[str, ...]
    strain: str | None
    batch_size: int
    processes: int
    aligns_copies: bool

    def load(self) -> None:
        """Load whatever `align` needs, so that an aligner that cannot run stops the command.

        Raises:
            ToolError: A model or a package is missing; any other exception is fatal as well.
        """
        ...

    def align(self, utterances: Sequence[Utterance]) -> Sequence[Alignment]:
        """Align clips, at most `batch_size` of them, and answer in their order.

        What is answered for a clip does not depend on the others of its batch.
        """
        ...
