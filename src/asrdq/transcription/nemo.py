"""Models of NeMo: CTC, RNNT, TDT, hybrids of them, and Canary; offline, in batches."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from asrdq.errors import UsageError
from asrdq.models.content import content_hash
from asrdq.models.devices import device_of
from asrdq.models.grouping import in_groups
from asrdq.models.halving import in_halves
from asrdq.models.nemo import load_nemo, quiet_nemo
from asrdq.models.nemo_file import find_nemo_file, read_nemo_file
from asrdq.models.requirements import installed
from asrdq.transcription.protocol import (
    Samples,
    TimedWord,
    TranscriberOptions,
    Transcription,
    TranscriptionStatus,
    no_memory,
)

_BACKEND_VERSION: Final = 2
_BATCH_S: Final = 240.0
_MOST_CLIPS: Final = 64
_LONGEST_S, _LONGEST_PROMPTED_S = 1500.0, 40.0
"""Canary is trained on clips of up to 40 s, and says less than all of a longer one."""
_LEAST_S, _LEAST_PROMPTED_S = 0.1, 1.0
"""Shorter clips are padded to this length, half of it before them.

NeMo pads files to a second for Canary alone, but everything that is no file. Neither training nor
validation does, and features are normalised over the whole clip: a model that was tuned on short
words would hear others.
"""
_SLOTS: Final = {
    "task": "asr",
    "pnc": "yes",
    "itn": "no",
    "timestamp": "no",
    "diarize": "no",
    "decodercontext": "",
    "emotion": "<|emo:undefined|>",
}
"""What Canary's prompts say where the model has no defaults: those of NeMo's data loader."""
_PROMPT_TOKENS: Final = 16
"""More than the prompt of any Canary."""
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
        self._known: frozenset[str] = frozenset()
        self.sample_rate = self._file.sample_rate
        self.languages = self._file.languages
        prompted = self._file.prompted
        self.longest_s = _LONGEST_PROMPTED_S if prompted else _LONGEST_S
        self._least_s = _LEAST_PROMPTED_S if prompted else _LEAST_S

    @cached_property
    def version(self) -> str:
        """The content of the file, the release of NeMo, and how it is used here."""
        release = importlib.metadata.version("nemo_toolkit")
        return f"{content_hash(self._file.path)} {release}+{_BACKEND_VERSION}"

    def load(self) -> None:
        """Load the model; see `Transcriber.load`."""
        model = load_nemo(str(self._file.path), device_of(self._device))
        self._timed = _ask_for_more(model)
        self._known = frozenset(model.tokenizer.vocab) if self._file.prompted else frozenset()
        self._model = model.eval()

    def transcribe(
        self, clips: Sequence[Samples], languages: Sequence[str]
    ) -> Sequence[Transcription]:
        """Transcribe clips; see `Transcriber.transcribe`."""
        told = languages if self._file.prompted else [None] * len(clips)
        return in_groups(self._in_language, clips, told)

    def close(self) -> None:
        """Forget the model."""
        self._model = None

    def _in_language(
        self, clips: Sequence[Samples], language: str | None
    ) -> Sequence[Transcription]:
        """Transcribe clips of one language, None where the model is not told it."""
        if language is not None and f"<|{language}|>" not in self._known:
            detail = f"the model has no language '{language}'"
            return [Transcription(TranscriptionStatus.FAILED, detail=detail)] * len(clips)
        return in_halves(lambda some: self._batch(some, language), clips, no_memory)

    def _batch(self, clips: Sequence[Samples], language: str | None) -> list[Transcription]:
        found = self._heard(clips, language)
        if language is not None and len(clips) > 1:
            found = [
                self._heard([clip], language)[0] if self._ran_on(said, clip) else said
                for said, clip in zip(found, clips, strict=True)
            ]
        rate = self.sample_rate
        return [
            _answer(said, len(clip) / rate, self._least_s)
            for said, clip in zip(found, clips, strict=True)
        ]

    def _heard(self, clips: Sequence[Samples], language: str | None) -> list[Any]:
        """Return NeMo's hypotheses."""
        config = self._model.get_transcribe_config()
        config.batch_size = len(clips)
        config.return_hypotheses = True
        config.num_workers = 0
        config.verbose = False
        config.timestamps = self._timed or None
        config.pad_min_duration = self._least_s
        if language is not None:
            config.prompt = [{"role": "user", "slots": self._slots(language)}]
            config.enable_chunking = False
        with quiet_nemo():
            return list(self._model.transcribe(list(clips), override_config=config))

    def _ran_on(self, said: Any, clip: Samples) -> bool:
        """Return whether Canary said more than it may of this clip alone.

        How much it may say goes by the longest clip of a batch.
        """
        decoding = self._model.cfg.decoding
        kind = "beam" if "beam" in decoding.strategy else "greedy"
        most = (decoding.get(kind) or {}).get("max_generation_delta", -1)
        stride_s = self._model.cfg.preprocessor.window_stride
        length_s = max(len(clip) / self.sample_rate, self._least_s)
        frames = length_s / (stride_s * self._model.encoder.subsampling_factor)
        return bool(most >= 0 and len(said.y_sequence) > frames + most - _PROMPT_TOKENS)

    def _slots(self, language: str) -> dict[str, str]:
        """Return what Canary is told: as the model's own defaults say, else to write it down."""
        (turn,) = self._model.prompt.get_default_dialog_slots()
        own = {slot: value for slot, value in turn["slots"].items() if value is not None}
        left = {slot: value for slot, value in _SLOTS.items() if slot in turn["slots"]}
        return {**left, **own, "source_lang": language, "target_lang": language}


def _ask_for_more(model: Any) -> bool:
    """Have the decoder of a model give confidence and times; return whether it gives times.

    How it decodes is not changed: only greedy decoding has them.
    """
    from omegaconf import OmegaConf, open_dict

    decoder = getattr(model, "cur_decoder", None)
    config = model.cfg.aux_ctc.decoding if decoder == "ctc" else model.cfg.decoding
    prompted = hasattr(model, "timestamps_asr_model")
    greedy = str(config.get("strategy", "")).startswith("greedy")
    if greedy:
        with open_dict(config):
            config.confidence_cfg = OmegaConf.create(_CONFIDENCE)
            if not prompted:
                config.compute_timestamps = True
        chosen = {} if decoder is None else {"decoder_type": decoder}
        with quiet_nemo():
            model.change_decoding_strategy(config, **chosen)
    return bool(model.timestamps_asr_model) if prompted else greedy


def _answer(said: Any, duration_s: float, least_s: float) -> Transcription:
    words = _words(said, duration_s, least_s)
    sure = [float(each) for each in said.word_confidence or ()]
    confidence = sum(sure) / len(sure) if sure else None
    text = str(said.text or "").strip()
    return Transcription(TranscriptionStatus.TRANSCRIBED, text, confidence, words)


def _words(said: Any, duration_s: float, least_s: float) -> tuple[TimedWord, ...]:
    """Return the words with seconds from the start of the clip; none where they are not known."""
    if not isinstance(said.timestamp, dict):
        return ()
    before_s = max(0.0, least_s - duration_s) / 2
    found = said.timestamp.get("word") or []
    sure: Sequence[Any] = said.word_confidence or ()
    each = sure if len(sure) == len(found) else [None] * len(found)

    def inside(seconds: float) -> float:
        return min(max(float(seconds) - before_s, 0.0), duration_s)

    return tuple(
        TimedWord(
            str(word["word"]).strip(),
            inside(word["start"]),
            inside(word["end"]),
            None if one is None else float(one),
        )
        for word, one in zip(found, each, strict=True)
    )
