"""Alignment by Qwen3-ForcedAligner, with evidence from the logits behind its times.

The model answers with one item for every token, whatever the audio: what tells right from wrong is
how sure it is of each time, and how often its times have to be repaired.
"""

from __future__ import annotations

import importlib.metadata
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from asrdq.alignment.evidence import fit_of_word_runs, voice_outside
from asrdq.alignment.preparation import spans_by_characters
from asrdq.alignment.protocol import (
    AlignerOptions,
    Alignment,
    AlignmentStatus,
    Utterance,
    WordSpan,
)
from asrdq.alignment.refusals import without_aligning
from asrdq.audio import FRAME_S
from asrdq.errors import ToolError
from asrdq.models.content import content_hash
from asrdq.models.devices import device_of, weights_dtype, weights_named
from asrdq.models.halving import NoMemoryError, in_halves
from asrdq.models.location import find_model, is_on_hub
from asrdq.models.qwen import RATE
from asrdq.models.qwen_aligner import QwenForcedAligner, Slots, check_forced_aligner
from asrdq.models.requirements import installed, needs

_BACKEND_VERSION: Final = 1
_MODEL: Final = "Qwen/Qwen3-ForcedAligner-0.6B"
_EXAMPLE: Final = f"--aligner qwen:{_MODEL}, or a folder"
_LONGEST_S: Final = 1200.0
_PIECE_S: Final = 170.0
"""The model takes up to 180 s; qwen-asr looks for a quiet place up to 5 s after a cut."""

LANGUAGES: Final = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "pt": "Portuguese",
    "ru": "Russian",
    "yue": "Cantonese",
    "zh": "Chinese",
}
"""What the model was trained on. It answers in any other language too, with times of no worth."""

QWEN_EVIDENCE: Final = (
    "slot_doubt",
    "weakest_slot",
    "slot_entropy",
    "worst_entropy",
    "repaired_times",
    "zero_length",
    "out_of_order",
    "word_run_cost",
    "word_run_excess",
    "word_run_haste",
    "edge_excess",
    "edge_haste",
    "uncovered_voice",
    "longest_uncovered_s",
)


@dataclass(frozen=True, eq=False)
class _Piece:
    """A part of a clip that the model takes at once: `first` to `last` of its words."""

    owner: int
    samples: npt.NDArray[np.float32]
    offset_s: float
    first: int
    last: int
    text: str
    language: str


class QwenAligner:
    """Qwen3-ForcedAligner from a folder or a hub; its 0.6B by default."""

    name = "qwen"
    sample_rate = RATE
    languages: frozenset[str] | None = frozenset(LANGUAGES)
    longest_s = _LONGEST_S
    evidence_names = QWEN_EVIDENCE
    strain: str | None = None
    aligns_copies = True

    def __init__(self, options: AlignerOptions) -> None:
        installed("qwen_asr", "the aligner qwen")
        self._named = options.address or _MODEL
        if not is_on_hub(self._named):
            _ = self._folder  # what is wrong with it is said at once
        self._device = device_of(options.device)
        self._weights = weights_named(options.device, options.workers_on)
        self.batch_size = options.batch_size
        self.processes = 1 if self._device.type == "cuda" else 0
        self._model: QwenForcedAligner | None = None

    @cached_property
    def _folder(self) -> Path:
        """The folder of the model; one on the hub is fetched after the languages were checked."""
        found = find_model(self._named, _EXAMPLE)
        if found.is_file():
            raise ToolError("is a file, not a folder of a model", where=str(found))
        check_forced_aligner(found)
        return found

    @cached_property
    def version(self) -> str:
        """The name of the model, the hash of its content, release and use of qwen-asr, weights."""
        release = importlib.metadata.version("qwen-asr")
        content = f"{self._folder.name}@{content_hash(self._folder)}"
        return f"{content} {release}+{_BACKEND_VERSION}{self._weights}"

    def load(self) -> None:
        """Load the model; see `Aligner.load`."""
        self._model = QwenForcedAligner(self._folder, self._device, weights_dtype(self._device))

    def align(self, utterances: Sequence[Utterance]) -> list[Alignment]:
        """Align clips of 16 kHz, long ones in pieces; see `Aligner.align`."""
        if self._model is None:
            self.load()
        refused = [self._refusal(each) for each in utterances]
        pieces = [
            piece
            for at, each in enumerate(utterances)
            if refused[at] is None
            for piece in _pieces(at, each)
        ]
        found = in_halves(self._ask, pieces, lambda _, error: error)
        answers: list[Alignment] = []
        for at, each in enumerate(utterances):
            own = [pair for pair in zip(pieces, found, strict=True) if pair[0].owner == at]
            answers.append(refused[at] or _answer(each, own))
        return answers

    def _refusal(self, utterance: Utterance) -> Alignment | None:
        if (refusal := without_aligning(utterance, self.sample_rate, self.longest_s)) is not None:
            return refusal
        if not any(_letters(word) for word in utterance.words):
            detail = "the aligner drops every character"
            return Alignment(AlignmentStatus.OUT_OF_VOCABULARY, detail=detail)
        return None

    def _ask(self, pieces: Sequence[_Piece]) -> list[Slots | NoMemoryError]:
        assert self._model is not None
        return list(
            self._model.slots(
                [piece.samples for piece in pieces],
                [piece.text for piece in pieces],
                [LANGUAGES[piece.language] for piece in pieces],
            )
        )


def _pieces(owner: int, utterance: Utterance) -> list[_Piece]:
    """Cut a clip at quiet places; each piece has the words of its share of the voice."""
    samples, words = utterance.samples, utterance.words
    if len(samples) <= _PIECE_S * RATE:
        cuts = [(samples, 0.0)]
    else:
        utils = needs("qwen_asr.inference.utils", "the aligner qwen")
        cuts = utils.split_audio_into_chunks(samples, RATE, _PIECE_S)
    voiced = utterance.voiced if utterance.voiced.any() else np.ones(1, dtype=np.bool_)
    heard = np.concatenate([[0.0], np.cumsum(voiced)]) / voiced.sum()
    clock_s = np.linspace(0.0, len(samples) / RATE, len(heard))
    letters = np.array([max(1, len(word)) for word in words])
    middles = (np.cumsum(letters) - letters / 2) / letters.sum()
    found = []
    for part, offset_s in cuts:
        until_s = offset_s + len(part) / RATE
        first, last = np.searchsorted(middles, np.interp([offset_s, until_s], clock_s, heard))
        last = len(words) if part is cuts[-1][0] else last
        if first < last:
            text = _text(words[first:last], utterance.language)
            found.append(
                _Piece(owner, part, offset_s, int(first), int(last), text, utterance.language)
            )
    return found


def _text(words: Sequence[str], language: str) -> str:
    """Return what the model is given: Japanese is cut up by qwen-asr itself."""
    return ("" if language == "ja" else " ").join(words)


def _letters(word: str) -> str:
    """Return the characters that qwen-asr leaves of a word: letters, digits and apostrophes."""
    return "".join(
        letter for letter in word if letter == "'" or unicodedata.category(letter)[0] in "LN"
    )


def _answer(
    utterance: Utterance, pieces: Sequence[tuple[_Piece, Slots | NoMemoryError]]
) -> Alignment:
    """Put the pieces of a clip back together."""
    spans: list[WordSpan] = []
    parts: list[Slots] = []
    for piece, slots in pieces:
        if isinstance(slots, NoMemoryError):
            detail = f"no memory for this clip alone: {slots}"
            return Alignment(AlignmentStatus.FAILED, detail=detail)
        tokens = [
            WordSpan(token, begin + piece.offset_s, end + piece.offset_s, score)
            for token, (begin, end), score in zip(
                slots.tokens,
                slots.repaired_s.tolist(),
                np.log(slots.peaks).mean(axis=1).tolist(),
                strict=True,
            )
        ]
        words = utterance.words[piece.first : piece.last]
        written = [_letters(word) for word in words]
        kept = [len(one) / len(word) for one, word in zip(written, words, strict=True)]
        try:
            placed = spans_by_characters(written, tokens, kept)
        except ValueError:
            detail = f"the aligner spells it as: {' '.join(slots.tokens)[:200]}"
            return Alignment(AlignmentStatus.FAILED, detail=detail)
        spans += [
            WordSpan(word, one.start_s, one.end_s, one.score, one.lowest, one.kept)
            for word, one in zip(words, placed, strict=True)
        ]
        parts.append(slots)
    evidence = measure_slots(parts, spans, utterance.voiced, len(utterance.samples) / RATE)
    return Alignment(AlignmentStatus.ALIGNED, tuple(spans), evidence)


def measure_slots(
    parts: Sequence[Slots],
    spans: Sequence[WordSpan],
    voiced: npt.NDArray[np.bool_],
    duration_s: float,
) -> dict[str, float]:
    """Measure everything in `QWEN_EVIDENCE`; all are larger for worse clips.

    Args:
        parts: What the model says of each piece of the clip; together at least one token.
        spans: The words, placed in the clip.
        voiced: Voice activity of the clip, in equal parts of it.
        duration_s: Seconds of audio.

    Returns:
        How unsure the model is of its times (1 less their probability: mean, and mean of the worst
        token; entropy in nats: mean, worst token), shares of times that were repaired, of tokens
        without length and of times earlier than the one before, and what `fit_of_word_runs` and
        `voice_outside` measure.
    """
    peaks = np.concatenate([part.peaks for part in parts])
    entropies = np.concatenate([part.entropies for part in parts])
    moved = np.concatenate([np.abs(part.repaired_s - part.times_s).ravel() for part in parts])
    empty = np.concatenate([part.times_s[:, 1] == part.times_s[:, 0] for part in parts])
    backwards = np.concatenate([np.diff(part.times_s.ravel()) < 0.0 for part in parts])
    lengths = np.array([max(1, round((span.end_s - span.start_s) / FRAME_S)) for span in spans])
    costs = np.array([-(span.score or 0.0) for span in spans]) * lengths
    values = {
        "slot_doubt": 1.0 - float(peaks.mean()),
        "weakest_slot": 1.0 - float(peaks.mean(axis=1).min()),
        "slot_entropy": float(entropies.mean()),
        "worst_entropy": float(entropies.mean(axis=1).max()),
        "repaired_times": float((moved > 0.0).mean()),
        "zero_length": float(empty.mean()),
        "out_of_order": float(backwards.mean()),
        **fit_of_word_runs(lengths, np.array([max(1, len(one.word)) for one in spans]), costs),
        **voice_outside([(one.start_s, one.end_s) for one in spans], voiced, duration_s),
    }
    return {name: values[name] for name in QWEN_EVIDENCE}
