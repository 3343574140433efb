"""The embedded aligner: PocketSphinx with the English model that its package brings.

Two decoders: one with the default beams, which finds a path for right transcripts and hardly for
damaged ones, and one with the widest beams for what the first cannot align. A second pass over
the found path gives phone scores (Huggins-Daines et al. 2006; PocketSphinx 5 documentation of
`set_alignment`).
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from asrdq.alignment.evidence import (
    EVIDENCE,
    FRAME_S,
    FRAMES_A_SECOND,
    PlacedPhone,
    PlacedWord,
    measure_evidence,
)
from asrdq.alignment.preparation import Alphabet
from asrdq.alignment.pronunciation import Pronouncer
from asrdq.alignment.protocol import (
    AlignerOptions,
    Alignment,
    AlignmentStatus,
    Utterance,
    WordSpan,
)
from asrdq.alignment.refusals import without_aligning
from asrdq.errors import UsageError

_BACKEND_VERSION: Final = 2
_WIDEST: Final = 1e-300
_SCORE_UNIT: Final = 1024 * float(np.log(1.0001))
"""Senone scores are logarithms to the base 1.0001, shifted right by ten bits."""
_LONGEST_S: Final = 120.0
_ENGLISH: Final = Alphabet(f"{ascii_lowercase}'")


class PocketSphinxAligner:
    """Aligns English with the acoustic model `en-us` (PTM, 16 kHz).

    Scores depend on the clip alone: the feature extraction starts afresh for each.
    """

    name = "pocketsphinx"
    sample_rate = 16_000
    languages: frozenset[str] | None = frozenset({"en"})
    longest_s = _LONGEST_S
    evidence_names = EVIDENCE
    strain: str | None = "wide_beams"
    batch_size = 1
    processes = 0
    aligns_copies = True

    def __init__(self, options: AlignerOptions | None = None) -> None:
        if options is not None and options.address is not None:
            raise UsageError(
                f"the aligner '{self.name}' brings its own model and takes no other",
                where=options.address,
                hint=f"--aligner {self.name}, or --aligner ctc:{options.address}",
            )
        self.version = f"{importlib.metadata.version('pocketsphinx')}+{_BACKEND_VERSION}"
        self._decoders: dict[bool, Any] = {}

    def load(self) -> None:
        """Load both decoders and the pronunciation model; see `Aligner.load`."""
        self._pronouncer = Pronouncer()
        self._decoders = {widest: _decoder(widest) for widest in (False, True)}

    def align(self, utterances: Sequence[Utterance]) -> list[Alignment]:
        """Align clips of 16 kHz one by one; see `Aligner.align`."""
        if not self._decoders:
            self.load()
        return [
            without_aligning(each, self.sample_rate, self.longest_s)
            or self._align(each.samples, each.words, each.voiced)
            for each in utterances
        ]

    def _align(
        self, samples: npt.NDArray[np.float32], words: Sequence[str], voiced: npt.NDArray[np.bool_]
    ) -> Alignment:
        data = np.clip(samples * 32768.0, -32768, 32767).astype("<i2").tobytes()
        looked_up = [_without_accents(word) for word in words]
        for widest in (False, True):
            unknown = self._learn(looked_up, widest)
            if unknown:
                listed = " ".join(unknown[:5])
                return Alignment(AlignmentStatus.OUT_OF_VOCABULARY, detail=f"no phones: {listed}")
            placed = self._search(data, looked_up, widest)
            if placed is not None:
                return self._answer(placed, words, voiced, len(samples), widest)
        return Alignment(AlignmentStatus.NO_ALIGNMENT, detail="no path through the text")

    def _learn(self, words: Sequence[str], widest: bool) -> list[str]:
        """Add pronunciations for words the dictionary lacks; return those that have none."""
        decoder = self._decoders[widest]
        missing = [word for word in dict.fromkeys(words) if decoder.lookup_word(word) is None]
        phones = {word: self._pronouncer.pronounce(word) for word in missing}
        unknown = [word for word, spoken in phones.items() if spoken is None]
        if not unknown:
            for position, (word, spoken) in enumerate(phones.items(), start=1):
                decoder.add_word(word, spoken, position == len(phones))
        return unknown

    def _search(self, data: bytes, words: Sequence[str], widest: bool) -> list[PlacedWord] | None:
        """Return words and silences with their phones, or None where no path spells the text."""
        decoder = self._decoders[widest]
        decoder.set_align_text(" ".join(words))
        _decode(decoder, data)
        if decoder.hyp() is None or [
            _spelling(s.word) for s in decoder.seg() if _is_word(s.word)
        ] != list(words):
            return None
        decoder.set_alignment()
        _decode(decoder, data)
        return [
            PlacedWord(
                _spelling(word.name),
                word.start,
                word.duration,
                tuple(
                    PlacedPhone(phone.name, phone.duration, phone.score * _SCORE_UNIT)
                    for phone in word
                ),
            )
            for word in decoder.get_alignment()
        ]

    def _answer(
        self,
        placed: list[PlacedWord],
        words: Sequence[str],
        voiced: npt.NDArray[np.bool_],
        sample_count: int,
        widest: bool,
    ) -> Alignment:
        spoken = [word for word in placed if _is_word(word.text)]
        if [word.text for word in spoken] != [_without_accents(word) for word in words]:
            return Alignment(AlignmentStatus.FAILED, detail="the phone pass lost a word")
        spans = tuple(
            WordSpan(
                written,
                word.start * FRAME_S,
                (word.start + word.frames) * FRAME_S,
                word.score / max(1, word.frames),
            )
            for written, word in zip(words, spoken, strict=True)
        )
        frames = sample_count * FRAMES_A_SECOND // self.sample_rate
        evidence = measure_evidence(placed, voiced, frames, needed_wide_beams=widest)
        return Alignment(AlignmentStatus.ALIGNED, spans, evidence)


def _decoder(widest: bool) -> Any:
    from pocketsphinx import Decoder

    beams = {"beam": _WIDEST, "pbeam": _WIDEST, "wbeam": _WIDEST} if widest else {}
    return Decoder(lm=None, bestpath=False, loglevel="FATAL", **beams)


def _decode(decoder: Any, data: bytes) -> None:
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(data, full_utt=True)
    decoder.end_utt()


def _without_accents(word: str) -> str:
    """Return a word in English letters, itself where it has others: naïve is naive."""
    written = _ENGLISH.written(word)
    return written.text if written.text and written.kept == 1.0 else word


def _is_word(text: str) -> bool:
    return not text.startswith(("<", "["))


def _spelling(name: str) -> str:
    """Drop the number of a pronunciation variant: `read(2)` is `read`."""
    return name.partition("(")[0]
