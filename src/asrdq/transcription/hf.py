"""Models of Hugging Face: Whisper, and CTC models such as Wav2Vec2 and MMS; offline, in batches."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from asrdq.errors import ToolError, UsageError
from asrdq.models.content import content_hash
from asrdq.models.devices import device_of
from asrdq.models.grouping import in_groups
from asrdq.models.halving import in_halves
from asrdq.models.hf import HfCtcModel
from asrdq.models.location import check_parts, find_model, read_config
from asrdq.models.qwen import quiet_transformers
from asrdq.models.requirements import installed
from asrdq.transcription.protocol import (
    Samples,
    TimedWord,
    TranscriberOptions,
    Transcription,
    TranscriptionStatus,
    no_memory,
)

if TYPE_CHECKING:
    import torch

_BACKEND_VERSION: Final = 1
_EXAMPLE: Final = "--with hf:FOLDER, or --with hf:openai/whisper-large-v3"
_WHISPER_S, _CTC_S = 30.0, 600.0
"""Whisper hears 30 s at once and no more."""
_GENERATION: Final = "generation_config.json"


class HuggingFaceTranscriber:
    """A folder with a Whisper or a `…ForCTC` model, or its name on the hub; decoded greedily.

    CTC models give words with times and confidence: the mean probability of the frames that a word
    is spelled in; that of a clip is the mean over its words. Whisper is told the language and to
    transcribe, and gives the text alone.
    """

    name = "hf"
    remote = False
    concurrency = 1
    batch_size = 32
    batch_s = 240.0
    processes = 1
    sample_rate = 16_000

    def __init__(self, options: TranscriberOptions) -> None:
        if not options.address or options.model:
            raise UsageError(
                "which model?" if not options.address else "--model is for servers", hint=_EXAMPLE
            )
        installed("transformers", "the transcriber hf")
        self._folder = find_model(options.address, _EXAMPLE)
        if not self._folder.is_dir():
            raise UsageError("is no folder", where=str(self._folder), hint=_EXAMPLE)
        kinds = read_config(self._folder).get("architectures") or []
        self._whisper = any("Whisper" in kind for kind in kinds)
        if not self._whisper and not any(kind.endswith("ForCTC") for kind in kinds):
            told = ", ".join(kinds) or "none"
            raise ToolError(f"is neither Whisper nor a CTC model: {told}", where=str(self._folder))
        check_parts(self._folder)
        self._device = options.device
        self._heard: Any = None
        self.languages = _whisper_languages(self._folder) if self._whisper else None
        self.longest_s = _WHISPER_S if self._whisper else _CTC_S

    @cached_property
    def version(self) -> str:
        """The content of the folder, the release of transformers, and how it is used here."""
        release = importlib.metadata.version("transformers")
        return f"{content_hash(self._folder)} {release}+{_BACKEND_VERSION}"

    def load(self) -> None:
        """Load the model; see `Transcriber.load`."""
        device = device_of(self._device)
        if self._whisper:
            self._heard = _Whisper(self._folder, device)
            return
        self._heard = _Ctc(self._folder, device)
        if self._heard.model.sample_rate != self.sample_rate:
            raise ToolError(
                f"it takes {self._heard.model.sample_rate} Hz, not {self.sample_rate}",
                where=str(self._folder),
            )

    def transcribe(
        self, clips: Sequence[Samples], languages: Sequence[str]
    ) -> Sequence[Transcription]:
        """Transcribe 16 kHz clips; see `Transcriber.transcribe`."""
        return in_groups(self._in_language, clips, languages)

    def close(self) -> None:
        """Forget the model."""
        self._heard = None

    def _in_language(self, clips: Sequence[Samples], language: str) -> list[Transcription]:
        return in_halves(lambda some: self._heard(some, language), clips, no_memory)


class _Ctc:
    """Frames to words."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.model = HfCtcModel(folder, device)

    def __call__(self, clips: Sequence[Samples], language: str) -> list[Transcription]:
        self.model.use_language(language)
        return [self._said(found) for found in self.model.log_posteriors(clips)]

    def _said(self, posteriors: Any) -> Transcription:
        text, words = self.model.best_path(posteriors)
        sure = np.exp(posteriors.max(-1))
        step_s = self.model.frame_s
        timed = tuple(
            TimedWord(word, start * step_s, end * step_s, float(sure[start:end].mean()))
            for word, start, end in words
            if end > start
        )
        confidences = [word.confidence for word in timed if word.confidence is not None]
        mean = float(np.mean(confidences)) if confidences else None
        return Transcription(TranscriptionStatus.TRANSCRIBED, text, mean, timed)


class _Whisper:
    """Whole clips to text, each padded to 30 s whatever its batch."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

        try:
            with quiet_transformers():
                self._processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
                model = AutoModelForSpeechSeq2Seq.from_pretrained(folder, local_files_only=True)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise ToolError(
                f"the model cannot be loaded: {reason}", where=str(folder), hint="is it whole?"
            ) from error
        self._model, self._device = model.to(device).eval(), device
        self._told = bool(getattr(model.generation_config, "lang_to_id", None))

    def __call__(self, clips: Sequence[Samples], language: str) -> list[Transcription]:
        import torch

        features = self._processor.feature_extractor(
            list(clips), sampling_rate=16_000, return_attention_mask=True, return_tensors="pt"
        ).to(self._device)
        told = {"language": language, "task": "transcribe"} if self._told else {}
        with torch.inference_mode(), quiet_transformers():
            ids = self._model.generate(**features, do_sample=False, num_beams=1, **told)
        texts = self._processor.batch_decode(ids, skip_special_tokens=True)
        return [Transcription(TranscriptionStatus.TRANSCRIBED, text.strip()) for text in texts]


def _whisper_languages(folder: Path) -> frozenset[str]:
    """Return the codes that a Whisper model can be told; English where it cannot be told any."""
    file = folder / _GENERATION
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        found = frozenset(token.strip("<|>") for token in said.get("lang_to_id") or {})
    except (OSError, ValueError, AttributeError) as error:
        raise ToolError(f"cannot be read: {error}", where=str(file)) from error
    if not found and said.get("is_multilingual") is not False:
        raise ToolError(
            "does not list its languages",
            where=str(file),
            hint="take generation_config.json of the model that it was made from",
        )
    return found or frozenset({"en"})
