"""Models of NeMo: CTC, RNNT, TDT, hybrids of them, and Canary; offline, in batches."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from asrdq.errors import UsageError
from asrdq.models.content import content_hash
from asrdq.models.devices import device_of
from asrdq.models.nemo import load_nemo, quiet_nemo
from asrdq.models.nemo_file import find_nemo_file, read_nemo_file
from asrdq.models.requirements import installed
from asrdq.transcription.halving import halving
from asrdq.transcription.protocol import (
    Samples,
    TimedWord,
    TranscriberOptions,
    Transcription,
    TranscriptionStatus,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_BACKEND_VERSION: Final = 1
_BATCH_S: Final = 240.0
_MOST_CLIPS: Final = 64
_LONGEST_S, _LONGEST_PROMPTED_S = 1500.0, 40.0
"""Canary is trained on clips of up to 40 s, and says less than all of a longer one."""
_LEAST_S: Final = 1.0
"""NeMo pads shorter clips to this length, half of it before them."""
_CONFIDENCE: Final = {
    "preserve_frame_confidence": True,
    "preserve_token_confidence": True,
    "preserve_word_confidence": True,
    "exclude_blank": True,
    "aggregation": "mean",
    "method_cfg": {"name": "max_prob", "alpha": 1.0},
}


class NemoTranscriber:
    """A `.nemo` file, decoded as its own configuration says.

    Where it decodes greedily, words come with times and with confidence: the probability of the
    token that was chosen, scaled so that an even guess is 0, as mean over the tokens of the word;
    that of a clip is the mean over its words. Canary is told the language of each clip, has
    confidence where it decodes greedily, and times where it brings a model for them.
    """

    name = "nemo"
    remote = False
    concurrency = 1
    batch_size = _MOST_CLIPS
    batch_s = _BATCH_S
    processes = 1

    def __init__(self, options: TranscriberOptions) -> None:
        if not options.address or options.model:
            raise UsageError(
                "which model of NeMo?" if not options.address else "--model is for servers",
                hint="--with nemo:model.nemo, or --with nemo:nvidia/parakeet-tdt-0.6b-v2",
            )
        installed("nemo", "the transcriber nemo")
        self._file = read_nemo_file(find_nemo_file(options.address))
        self._device = options.device
        self._model: Any = None
        self._timed = False
        self.sample_rate = self._file.sample_rate
        self.languages = self._file.languages
        self.longest_s = _LONGEST_PROMPTED_S if self._file.prompted else _LONGEST_S

    @cached_property
    def version(self) -> str:
        """The content of the file, the release of NeMo, and how it is used here."""
        release = importlib.metadata.version("nemo_toolkit")
        return f"{content_hash(self._file.path)} {release}+{_BACKEND_VERSION}"

    def load(self) -> None:
        """Load the model; see `Transcriber.load`."""
        model = load_nemo(str(self._file.path), device_of(self._device))
        self._timed = _ask_for_confidence(model)
        self._model = model.eval()

    def transcribe(
        self, clips: Sequence[Samples], languages: Sequence[str]
    ) -> Sequence[Transcription]:
        """Transcribe clips; see `Transcriber.transcribe`."""
        if not self._file.prompted:
            return self._batch(clips, {})
        answers: dict[int, Transcription] = {}
        for language in dict.fromkeys(languages):
            own = [index for index, each in enumerate(languages) if each == language]
            prompt = {"source_lang": language, "target_lang": language}
            found = self._prompted([clips[index] for index in own], prompt)
            answers.update(zip(own, found, strict=True))
        return [answers[index] for index in range(len(clips))]

    def close(self) -> None:
        """Forget the model."""
        self._model = None

    def _prompted(
        self, clips: Sequence[Samples], prompt: Mapping[str, str]
    ) -> Sequence[Transcription]:
        language = prompt["source_lang"]
        if f"<|{language}|>" not in self._model.tokenizer.special_tokens:
            detail = f"the model has no language '{language}'"
            return [Transcription(TranscriptionStatus.FAILED, detail=detail)] * len(clips)
        return self._batch(clips, {**prompt, "enable_chunking": False})

    def _batch(self, clips: Sequence[Samples], more: Mapping[str, Any]) -> Sequence[Transcription]:
        return halving(lambda some: self._said(some, more), clips)

    def _said(self, clips: Sequence[Samples], more: Mapping[str, Any]) -> list[Transcription]:
        with quiet_nemo():
            found = self._model.transcribe(
                list(clips),
                batch_size=len(clips),
                return_hypotheses=True,
                timestamps=self._timed or None,
                num_workers=0,
                verbose=False,
                **more,
            )
        return [
            self._answer(said, len(clip) / self.sample_rate)
            for said, clip in zip(found, clips, strict=True)
        ]

    def _answer(self, said: Any, duration_s: float) -> Transcription:
        words = _words(said, duration_s)
        sure = [float(each) for each in said.word_confidence or ()]
        confidence = sum(sure) / len(sure) if sure else None
        text = str(said.text or "").strip()
        return Transcription(TranscriptionStatus.TRANSCRIBED, text, confidence, words)


def _ask_for_confidence(model: Any) -> bool:
    """Have the decoder of a model give confidence; return whether it gives times too.

    How it decodes is not changed: only greedy decoding has both.
    """
    from omegaconf import OmegaConf, open_dict

    decoder = getattr(model, "cur_decoder", None)
    config = model.cfg.aux_ctc.decoding if decoder == "ctc" else model.cfg.decoding
    if not str(config.get("strategy", "")).startswith("greedy"):
        return False
    with open_dict(config):
        config.confidence_cfg = OmegaConf.create(_CONFIDENCE)
    chosen = {} if decoder is None else {"decoder_type": decoder}
    with quiet_nemo():
        model.change_decoding_strategy(config, **chosen)
    return True


def _words(said: Any, duration_s: float) -> tuple[TimedWord, ...]:
    """Return the words with seconds from the start of the clip; none where they are not known."""
    if not isinstance(said.timestamp, dict):
        return ()
    before_s = max(0.0, _LEAST_S - duration_s) / 2
    found = said.timestamp.get("word") or []
    sure: Sequence[Any] = said.word_confidence or ()
    each = sure if len(sure) == len(found) else [None] * len(found)

    def inside(seconds: float) -> float:
        return min(max(float(seconds) - before_s, 0.0), duration_s)

    return tuple(
        TimedWord(
            str(word["word"]),
            inside(word["start"]),
            inside(word["end"]),
            None if one is None else float(one),
        )
        for word, one in zip(found, each, strict=True)
    )
