"""Alignment by the frame posteriors of any CTC model: Hugging Face's or NeMo's.

The best path goes through the words, with silence or, at a price, any other sound between them, and
around words that the audio does not have (`asrdq.alignment.viterbi`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from asrdq.alignment.ctc_edges import word_edges
from asrdq.alignment.ctc_evidence import CTC_EVIDENCE, AlignedPath, measure_path
from asrdq.alignment.preparation import Alphabet, Written
from asrdq.alignment.protocol import (
    AlignerOptions,
    Alignment,
    AlignmentStatus,
    Utterance,
    WordSpan,
)
from asrdq.alignment.refusals import without_aligning
from asrdq.alignment.viterbi import BETWEEN, best_path, frames_needed
from asrdq.audio import MODEL_RATE
from asrdq.errors import UsageError
from asrdq.models.content import content_hash
from asrdq.models.ctc import check_ctc
from asrdq.models.devices import device_of
from asrdq.models.grouping import in_groups
from asrdq.models.halving import NoMemoryError, in_halves
from asrdq.models.hf import HfCtcModel, adapter_languages
from asrdq.models.location import find_model
from asrdq.models.mms_languages import codes_of_adapter
from asrdq.models.nemo_ctc import NemoCtcModel
from asrdq.models.posteriors import CtcModel
from asrdq.models.requirements import installed

_BACKEND_VERSION: Final = 6
_LONGEST_S: Final = 300.0
_STAR_PRICE: Final = 2.0
"""What a frame of another sound than the text's costs more than its likeliest token."""
_ABSENT_PRICE: Final = 5.0
"""What each token of a word that is left out costs."""
_EXAMPLE: Final = "--aligner ctc:facebook/mms-1b-all, or ctc:model.nemo"


class CtcAligner:
    """Aligns with a folder or hub name of a Hugging Face CTC model, or a `.nemo` file.

    A CTC model is sure of a token in a few frames of it and says blank in the others: a word
    reaches into the blank frames beside it as far as they are voiced, at most to the middle between
    two words, and until it is as long as in slow speech: 0.2 s and 0.15 s a letter. A word that it
    says in silence, as some models do when it is over, reaches to a voice up to 0.2 s away first.
    """

    name = "ctc"
    sample_rate = MODEL_RATE
    longest_s = _LONGEST_S
    evidence_names = CTC_EVIDENCE
    strain: str | None = None
    aligns_copies = True

    def __init__(self, options: AlignerOptions) -> None:
        if not options.address:
            raise UsageError("which CTC model?", hint=_EXAMPLE)
        self._path = find_model(options.address, _EXAMPLE)
        installed("torch", "the aligner ctc")
        self._is_nemo = self._path.is_file()
        if self._is_nemo:
            installed("nemo", "a NeMo model")
        else:
            installed("transformers", "a CTC model of Hugging Face")
        check_ctc(self._path, _EXAMPLE)
        self._device = device_of(options.device)
        self.batch_size = options.batch_size
        self.processes = 1 if self._device.type == "cuda" else 0
        self.languages = self._languages()
        self._model: CtcModel | None = None
        self._alphabets: dict[str, Alphabet] = {}

    @cached_property
    def version(self) -> str:
        """The name of the model, the hash of its content, and how it is used here."""
        return f"{self._path.stem}@{content_hash(self._path)}+{_BACKEND_VERSION}"

    def load(self) -> None:
        """Load the model; see `Aligner.load`."""
        kind: Any = NemoCtcModel if self._is_nemo else HfCtcModel
        self._model = kind(self._path, self._device)

    def align(self, utterances: Sequence[Utterance]) -> list[Alignment]:
        """Align clips of 16 kHz; see `Aligner.align`."""
        if self._model is None:
            self.load()
        return in_groups(self._in_language, utterances, [each.language for each in utterances])

    def _languages(self) -> frozenset[str] | None:
        names = None if self._is_nemo else adapter_languages(self._path)
        return None if names is None else frozenset().union(*map(codes_of_adapter, names))

    def _in_language(self, utterances: Sequence[Utterance], language: str) -> list[Alignment]:
        assert self._model is not None
        self._model.use_language(language)
        alphabet = self._alphabets.setdefault(language, Alphabet(self._model.characters))
        texts = [_Text.of(each.words, alphabet, self._model) for each in utterances]
        refused = [self._refusal(*pair) for pair in zip(utterances, texts, strict=True)]
        left = [at for at, refusal in enumerate(refused) if refusal is None]
        pairs = [(utterances[at], texts[at]) for at in left]
        found = dict(zip(left, in_halves(self._batch, pairs, _too_large), strict=True))
        return [refusal or found[at] for at, refusal in enumerate(refused)]

    def _refusal(self, utterance: Utterance, text: _Text) -> Alignment | None:
        """Return the answer for what cannot be aligned at all."""
        if (refusal := without_aligning(utterance, self.sample_rate, self.longest_s)) is not None:
            return refusal
        if not text.spelled:
            shown = " ".join(utterance.words[:5])
            detail = f"the model writes none of these letters: {shown}"
            return Alignment(AlignmentStatus.OUT_OF_VOCABULARY, detail=detail)
        return None

    def _batch(self, pairs: Sequence[tuple[Utterance, _Text]]) -> list[Alignment]:
        assert self._model is not None
        clips = [self._resampled(utterance.samples) for utterance, _ in pairs]
        found = self._model.log_posteriors(clips)
        return [
            self._answer(utterance, text, posteriors)
            for (utterance, text), posteriors in zip(pairs, found, strict=True)
        ]

    def _resampled(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        assert self._model is not None
        if self._model.sample_rate == self.sample_rate:
            return samples
        import soxr

        resampled = soxr.resample(samples, self.sample_rate, self._model.sample_rate)
        return np.asarray(resampled, dtype=np.float32)

    def _answer(
        self, utterance: Utterance, text: _Text, posteriors: npt.NDArray[np.float32]
    ) -> Alignment:
        assert self._model is not None
        tokens = [text.tokens[at] for at in text.spelled]
        needed = frames_needed(tokens)
        if needed > len(posteriors):
            detail = f"{len(posteriors)} frames, and the text needs {needed}"
            return Alignment(AlignmentStatus.NO_ALIGNMENT, detail=detail)
        between, star = _between(posteriors, self._model.blank, self._model.delimiter)
        price = np.array([_ABSENT_PRICE * len(one) for one in tokens])
        path = best_path(posteriors, tokens, self._model.blank, between, price)
        if path is None or path.left_out.all():
            detail = "none of the words is in the audio"
            return Alignment(AlignmentStatus.NO_ALIGNMENT, detail=detail)
        starred = (path.word == BETWEEN) & star
        letters = np.array([max(1, len(utterance.words[at])) for at in text.spelled])
        edges = word_edges(path, starred, letters, utterance.voiced, self._model.frame_s)
        aligned = AlignedPath(
            path=path,
            edges=edges,
            starred=starred,
            likeliest=posteriors.max(axis=1).astype(np.float64),
            letters=letters,
            price=price,
            frame_s=self._model.frame_s,
        )
        duration_s = len(utterance.samples) / self.sample_rate
        evidence = measure_path(aligned, utterance.voiced, duration_s)
        return Alignment(
            AlignmentStatus.ALIGNED, _spans(utterance, text, aligned, duration_s), evidence
        )


@dataclass(frozen=True)
class _Text:
    """The words of a clip as the model writes them, with their tokens.

    Attributes:
        spelled: Indices of the words that have a token.
    """

    written: list[Written]
    tokens: list[list[int]]
    spelled: list[int]

    @classmethod
    def of(cls, words: Sequence[str], alphabet: Alphabet, model: CtcModel) -> _Text:
        written = [alphabet.written(word) for word in words]
        tokens = [model.tokens(one.text) if one.text else [] for one in written]
        return cls(written, tokens, [at for at, some in enumerate(tokens) if some])


def _too_large(_pair: tuple[Utterance, _Text], error: NoMemoryError) -> Alignment:
    return Alignment(AlignmentStatus.FAILED, detail=f"no memory for this clip alone: {error}")


def _between(
    posteriors: npt.NDArray[np.float32], blank: int, delimiter: int | None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return the score of each frame between words, and whether it is another sound there."""
    silence = posteriors[:, blank]
    if delimiter is not None:
        silence = np.maximum(silence, posteriors[:, delimiter])
    sounds = posteriors.copy()
    sounds[:, [blank] if delimiter is None else [blank, delimiter]] = -np.inf
    star = sounds.max(axis=1) - np.float32(_STAR_PRICE)
    return np.maximum(silence, star), star > silence


def _spans(
    utterance: Utterance, text: _Text, aligned: AlignedPath, duration_s: float
) -> tuple[WordSpan, ...]:
    """Return a span a word; a word left out, or without a letter, has no length."""
    place = {word: at for at, word in enumerate(text.spelled)}
    spans: list[WordSpan] = []
    here_s = 0.0
    for index, word in enumerate(utterance.words):
        kept = text.written[index].kept
        at = place.get(index)
        if at is None or aligned.path.left_out[at]:
            spans.append(WordSpan(word, here_s, here_s, kept=kept))
            continue
        scores = aligned.token_scores(at)
        first, last = aligned.edges[at]
        start_s = float(first * aligned.frame_s)
        here_s = float(min(last * aligned.frame_s, duration_s))
        mean, lowest = float(scores.mean()), float(scores.min())
        spans.append(WordSpan(word, start_s, here_s, mean, lowest, kept))
    return tuple(spans)
