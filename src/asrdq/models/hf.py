"""CTC models of Hugging Face: Wav2Vec2, MMS with its adapters, HuBERT, Wav2Vec2-BERT and others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asrdq.errors import ToolError
from asrdq.models.mms_languages import adapter_name
from asrdq.models.posteriors import LogPosteriors, Samples
from asrdq.models.qwen import quiet_transformers
from asrdq.models.requirements import needs

if TYPE_CHECKING:
    import torch

_VOCABULARY: Final = "vocab.json"
_WORD_MARK: Final = "▁"
_TRIAL_S: Final = 10


def adapter_languages(folder: Path) -> frozenset[str] | None:
    """Return the three-letter codes that MMS has a vocabulary for; None of other models.

    Raises:
        ToolError: The vocabulary cannot be read.
    """
    file = folder / _VOCABULARY
    if not file.is_file():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ToolError(f"cannot be read: {error}", where=str(file)) from error
    nested = isinstance(found, dict) and found and all(isinstance(v, dict) for v in found.values())
    return frozenset(found) if nested else None


class HfCtcModel:
    """A `…ForCTC` model with its feature extractor and its tokenizer.

    Models that were trained without an attention mask see silence at the end of shorter clips of
    a batch; they are given one clip at a time, so that each is answered as if it were alone.

    Args:
        folder: Where the model lies.
        device: Where its weights go.

    Raises:
        ToolError: transformers is not installed, or the model is broken, or it lacks a tokenizer
            or a feature extractor.
    """

    delimiter: int | None

    def __init__(self, folder: Path, device: torch.device) -> None:
        needs("transformers", "a CTC model of Hugging Face")
        from transformers import AutoFeatureExtractor, AutoModelForCTC, AutoTokenizer

        where = str(folder)
        self._extract = _loaded(AutoFeatureExtractor, where, "feature extractor")
        self._tokenizer = _loaded(AutoTokenizer, where, "tokenizer")
        self._model = _loaded(AutoModelForCTC, where, "model").to(device).eval()
        self._where, self._device = where, device
        self._adapters = adapter_languages(folder)
        self._language = ""
        self.sample_rate = int(self._extract.sampling_rate)
        self.frame_s = self._ratio() / self.sample_rate
        self._read_vocabulary()

    def use_language(self, code: str) -> None:
        """Load the adapter of a language, where there are such; see `CtcModel.use_language`."""
        if self._adapters is None or code == self._language:
            return
        name = adapter_name(code)
        if name not in self._adapters:
            raise ToolError(f"the model has no adapter for the language {code}", where=self._where)
        try:
            with quiet_transformers():
                self._tokenizer.set_target_lang(name)
                self._model.load_adapter(name)
        except Exception as error:
            raise ToolError(
                f"the adapter of {name} cannot be loaded: {_reason(error)}", where=self._where
            ) from error
        self._language = code
        self._read_vocabulary()

    def tokens(self, text: str) -> list[int]:
        """Return the token of each character, or the pieces of the tokenizer."""
        if self._by_character:
            return [self._ids[character] for character in text]
        found: list[int] = self._tokenizer(text, add_special_tokens=False).input_ids
        return [token for token in found if token not in self._special]

    def best_path(self, posteriors: LogPosteriors) -> tuple[str, list[tuple[str, int, int]]]:
        """Return the text of the most probable token of each frame, as the tokenizer writes it.

        Returns:
            The text, and each word with the frames from and until which it reaches; no words where
            the tokenizer does not say where they are.
        """
        path = posteriors.argmax(-1)
        try:
            said = self._tokenizer.decode(path, output_word_offsets=True)
        except TypeError:
            return str(self._tokenizer.decode(path)).strip(), []
        words = [
            (each["word"], each["start_offset"], each["end_offset"]) for each in said.word_offsets
        ]
        return said.text.strip(), words

    def log_posteriors(self, clips: Sequence[Samples]) -> list[LogPosteriors]:
        """Return log posteriors of clips; see `CtcModel.log_posteriors`."""
        if len(clips) > 1 and not getattr(self._extract, "return_attention_mask", True):
            return [self._run([clip])[0] for clip in clips]
        return self._run(clips)

    def _run(self, clips: Sequence[Samples]) -> list[LogPosteriors]:
        import torch

        features = self._extract(
            [self._long_enough(clip) for clip in clips],
            sampling_rate=self.sample_rate,
            padding=True,
            return_tensors="pt",
        ).to(self._device)
        with torch.inference_mode():
            found = self._model(**features).logits.float().log_softmax(-1).cpu()
        return [
            posteriors[: self._frames(len(clip), len(posteriors))].numpy()
            for clip, posteriors in zip(clips, found, strict=True)
        ]

    def _frames(self, samples: int, most: int) -> int:
        """Return how many frames belong to a clip and not to the padding behind it."""
        lengths = getattr(self._model, "_get_feat_extract_output_lengths", None)
        if lengths is not None and self._raw_audio:
            return max(0, min(most, int(lengths(samples))))
        return min(most, round(samples / (self.frame_s * self.sample_rate)))

    def _long_enough(self, clip: Samples) -> Samples:
        """Return a second of silence for a clip too short for a frame, which would be an error."""
        import numpy as np

        if self._frames(len(clip), 1):
            return clip
        return np.zeros(self.sample_rate, dtype=np.float32)

    @property
    def _raw_audio(self) -> bool:
        return bool(self._extract.model_input_names[0] == "input_values")

    def _ratio(self) -> float:
        """Return samples a frame: by the strides of the convolutions, else by trying it out."""
        strides = getattr(self._model.config, "conv_stride", None)
        if strides and self._raw_audio:
            return float(prod(strides))
        import numpy as np
        import torch

        silence = np.zeros(_TRIAL_S * self.sample_rate, dtype=np.float32)
        features = self._extract(silence, sampling_rate=self.sample_rate, return_tensors="pt")
        with torch.inference_mode():
            frames = self._model(**features.to(self._device)).logits.shape[1]
        return len(silence) / int(frames)

    def _read_vocabulary(self) -> None:
        tokenizer = self._tokenizer
        vocabulary: dict[str, int] = tokenizer.get_vocab()
        self._special = frozenset(tokenizer.all_special_ids)
        blank = tokenizer.pad_token_id
        if blank is None:
            raise ToolError("its tokenizer has no padding token, CTC's blank", where=self._where)
        self.blank = int(blank)
        self.delimiter = vocabulary.get(getattr(tokenizer, "word_delimiter_token", None) or "")
        plain = {
            text: index
            for text, index in vocabulary.items()
            if index not in self._special and index != self.delimiter
        }
        single = {text: index for text, index in plain.items() if len(text) == 1}
        self._by_character = len(single) >= len(plain) / 2 and _WORD_MARK not in vocabulary
        self._ids = single
        texts = single if self._by_character else plain
        self.characters = frozenset("".join(texts)) - {_WORD_MARK, " "}


def _loaded(kind: Any, where: str, what: str) -> Any:
    try:
        with quiet_transformers():
            return kind.from_pretrained(where, local_files_only=True)
    except Exception as error:
        raise ToolError(
            f"its {what} cannot be loaded: {_reason(error)}",
            where=where,
            hint="is the folder whole?",
        ) from error


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
