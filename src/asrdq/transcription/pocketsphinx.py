"""The embedded transcriber: PocketSphinx with the English models that its package brings."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from asrdq.errors import UsageError
from asrdq.transcription.protocol import (
    Samples,
    TimedWord,
    TranscriberOptions,
    Transcription,
    TranscriptionStatus,
)

_BACKEND_VERSION: Final = 1
_FRAME_S: Final = 0.01
_SHORTEST_S: Final = 0.1
_LONGEST_S: Final = 120.0


class PocketSphinxTranscriber:
    """Recognises English with the acoustic model `en-us` (PTM, 16 kHz) and its trigram model.

    The confidence of a clip is the mean of the posterior probabilities of its words. It depends
    on the clip alone: the feature extraction starts afresh for each.
    """

    name = "pocketsphinx"
    remote = False
    concurrency = 1
    sample_rate = 16_000
    languages: frozenset[str] | None = frozenset({"en"})
    longest_s = _LONGEST_S
    batch_size = 1
    batch_s = 0.0
    processes = 0

    def __init__(self, options: TranscriberOptions) -> None:
        if options.address or options.model:
            raise UsageError(
                "pocketsphinx has one model and no address", hint="--with pocketsphinx, no --model"
            )
        self.version = f"{importlib.metadata.version('pocketsphinx')}+{_BACKEND_VERSION}"
        self._decoder: Any = None

    def load(self) -> None:
        """Load the decoder; see `Transcriber.load`."""
        from pocketsphinx import Decoder

        self._decoder = Decoder(loglevel="FATAL")

    def transcribe(
        self, clips: Sequence[Samples], languages: Sequence[str]
    ) -> Sequence[Transcription]:
        """Transcribe 16 kHz clips; see `Transcriber.transcribe`."""
        return [self._one(samples) for samples in clips]

    def close(self) -> None:
        """Forget the decoder."""
        self._decoder = None

    def _one(self, samples: Samples) -> Transcription:
        if len(samples) < _SHORTEST_S * self.sample_rate:
            detail = f"shorter than {_SHORTEST_S:g} s"
            return Transcription(TranscriptionStatus.NO_RESULT, detail=detail)
        decoder = self._decoder
        decoder.reinit_feat()
        decoder.start_utt()
        data = np.clip(samples * 32768.0, -32768, 32767).astype("<i2").tobytes()
        decoder.process_raw(data, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        if found is None:
            return Transcription(TranscriptionStatus.NO_RESULT, detail="the search found no path")
        words = tuple(
            TimedWord(
                part.word.partition("(")[0],
                part.start_frame * _FRAME_S,
                (part.end_frame + 1) * _FRAME_S,
                min(1.0, float(part.prob)),
            )
            for part in decoder.seg()
            if not part.word.startswith(("<", "["))
        )
        sure = float(np.mean([word.confidence for word in words])) if words else None
        return Transcription(TranscriptionStatus.TRANSCRIBED, found.hypstr, sure, words)
