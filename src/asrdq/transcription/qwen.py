"""Qwen3-ASR: a folder with a model, trained here or released, or its name on the hub."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from asrdq.errors import UsageError
from asrdq.manifests.formats.qwen_languages import qwen_language
from asrdq.models.content import content_hash
from asrdq.models.devices import device_of, weights_dtype, weights_named
from asrdq.models.grouping import in_groups
from asrdq.models.halving import in_halves
from asrdq.models.qwen import RATE, Qwen, answer, features_of, find_qwen_folder, load_qwen
from asrdq.models.requirements import installed
from asrdq.transcription.protocol import (
    Samples,
    TranscriberOptions,
    Transcription,
    TranscriptionStatus,
    no_memory,
)

_BACKEND_VERSION: Final = 1
_BATCH_S: Final = 240.0
_MOST_CLIPS: Final = 32
_LONGEST_S: Final = 1200.0


class QwenTranscriber:
    """Decodes greedily, or with a beam search of `TranscriberOptions.beams` hypotheses.

    Where the model has a name for the language of a clip, its answer is made to begin with it;
    otherwise the model names the language itself. There is no confidence and no time of words.
    What the model repeats stays as it is: qwen-asr's own wrapper removes long repetitions.
    """

    name = "qwen"
    remote = False
    concurrency = 1
    sample_rate = RATE
    languages: frozenset[str] | None = None
    longest_s = _LONGEST_S
    batch_size = _MOST_CLIPS
    batch_s = _BATCH_S
    processes = 1

    def __init__(self, options: TranscriberOptions) -> None:
        if not options.address or options.model:
            raise UsageError(
                "which model of Qwen3-ASR?" if not options.address else "--model is for servers",
                hint="--with qwen:run/model, or --with qwen:Qwen/Qwen3-ASR-0.6B",
            )
        installed("qwen_asr", "the transcriber qwen")
        self.beams = options.beams
        self._folder = find_qwen_folder(options.address)
        self._device, self._workers_on = options.device, options.workers_on
        self._qwen: Qwen | None = None

    @cached_property
    def version(self) -> str:
        """The content of the folder, the release of qwen-asr, how it is used here, its weights."""
        release = importlib.metadata.version("qwen-asr")
        search = "greedy" if self.beams == 1 else f"beams {self.beams}"
        weights = weights_named(self._device, self._workers_on)
        return f"{content_hash(self._folder)} {release}+{_BACKEND_VERSION} {search}{weights}"

    def load(self) -> None:
        """Load the model; see `Transcriber.load`."""
        device = device_of(self._device)
        self._qwen = load_qwen(str(self._folder), device, weights_dtype(device))

    def transcribe(
        self, clips: Sequence[Samples], languages: Sequence[str]
    ) -> Sequence[Transcription]:
        """Transcribe 16 kHz clips; see `Transcriber.transcribe`."""
        names = [qwen_language(language) for language in languages]
        return in_groups(self._in_language, clips, names)

    def close(self) -> None:
        """Forget the model."""
        self._qwen = None

    def _in_language(self, clips: Sequence[Samples], name: str | None) -> list[Transcription]:
        """Transcribe clips of one language, None where the model has no name for it."""
        return in_halves(lambda some: self._batch(some, name), clips, no_memory)

    def _batch(self, clips: Sequence[Samples], name: str | None) -> list[Transcription]:
        assert self._qwen is not None
        mels = [features_of(self._qwen.processor, clip) for clip in clips]
        found = answer(self._qwen, mels, [name] * len(mels), beams=self.beams)
        return [Transcription(TranscriptionStatus.TRANSCRIBED, heard.text) for heard in found]
