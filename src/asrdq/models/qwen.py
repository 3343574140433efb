"""Qwen3-ASR: loading it, what it is asked, and what it answers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from asrdq.errors import ToolError
from asrdq.models.requirements import needs

if TYPE_CHECKING:
    import torch

Samples = npt.NDArray[np.float32]

MARK: Final = "<asr_text>"
"""What parts the language from the transcript in the answers of the model."""

RATE: Final = 16_000
SHORTEST_S: Final = 0.1
"""Shorter audio is padded with silence: the encoder needs some frames."""

_TOKENS, _TOKENS_A_SECOND, _MOST_TOKENS = 64, 25, 4096
_ENDS: Final = ("<|im_end|>", "<|endoftext|>")


@dataclass(frozen=True)
class Qwen:
    """A loaded model.

    Attributes:
        network: A torch module, in evaluation mode.
        processor: Tokenizer, features and chat template that belong to it.
    """

    network: Any
    processor: Any

    @property
    def ends(self) -> list[int]:
        """Ids of the tokens that end an answer; qwen-asr has those of its own models wired in."""
        return [self.processor.tokenizer.convert_tokens_to_ids(token) for token in _ENDS]


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer of the model: the language as it names it, empty where it named none."""

    text: str
    language: str = ""


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep remarks and progress bars of transformers off the screen inside."""
    needs("transformers", "Qwen3-ASR")
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def check_qwen_folder(model: str) -> None:
    """See whether a folder can hold a Qwen3-ASR model; a name on a hub is left to the loading.

    Raises:
        ToolError: There is no such folder, it is another model, or its weights are not safetensors.
    """
    folder = Path(model).expanduser()
    if not folder.exists():
        if model.count("/") == 1 and not model.startswith((".", "/", "~")):
            return
        raise ToolError("there is no such model", where=model)
    config = folder / "config.json"
    try:
        kind = json.loads(config.read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise ToolError("this is no model: its config.json cannot be read", where=model) from error
    if kind != "qwen3_asr":
        raise ToolError(f"this is a {kind} model, not qwen3_asr", where=model)
    if not any(folder.glob("*.safetensors")):
        raise ToolError(
            "its weights are no safetensors; files that could run code are not loaded", where=model
        )


def find_qwen_folder(model: str) -> Path:
    """Return the folder of a model; one that is on the hub is fetched first.

    Raises:
        ToolError: There is no such model, or the hub cannot be reached.
    """
    check_qwen_folder(model)
    folder = Path(model).expanduser()
    if folder.exists():
        return folder
    hub = needs("huggingface_hub", "Qwen3-ASR")
    try:
        return Path(hub.snapshot_download(model))
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ToolError(f"the hub does not give this model: {reason}", where=model) from error


def load_qwen(model: str, device: torch.device, dtype: torch.dtype) -> Qwen:
    """Load a model from a folder, or by its name on the hub (`Qwen/Qwen3-ASR-0.6B`).

    Raises:
        ToolError: qwen-asr is not installed, or there is no such model, or it is broken.
    """
    needs("qwen_asr", "Qwen3-ASR")
    check_qwen_folder(model)
    from qwen_asr.core.transformers_backend import Qwen3ASRProcessor

    from asrdq.models.qwen_network import Qwen3ASRForConditionalGeneration

    where = str(Path(model).expanduser()) if Path(model).expanduser().exists() else model
    try:
        with quiet_transformers():
            network = Qwen3ASRForConditionalGeneration.from_pretrained(
                where, dtype=dtype, use_safetensors=True
            )
            processor = Qwen3ASRProcessor.from_pretrained(where, fix_mistral_regex=True)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ToolError(f"Qwen3-ASR cannot be loaded: {reason}", where=model) from error
    return Qwen(network.to(device).eval(), processor)


def prompt(processor: Any, context: str = "", language: str | None = None) -> str:
    """Return what the model is given before its answer.

    Args:
        processor: Of the model.
        context: Words that may help it.
        language: A name, such as `English`, that its answer is made to begin with.
    """
    messages = [
        {"role": "system", "content": context},
        {"role": "user", "content": [{"type": "audio", "audio": ""}]},
    ]
    begun = str(processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))
    return begun if language is None else f"{begun}language {language}{MARK}"


def features_of(processor: Any, samples: Samples) -> Samples:
    """Return the mel spectrogram of a clip at 16 kHz, (bands, frames), in 32-bit numbers."""
    import torch

    short = round(SHORTEST_S * RATE) - len(samples)
    if short > 0:
        samples = np.pad(samples, (0, short))
    with torch.autocast("cpu", enabled=False):
        found = processor.feature_extractor(
            samples, sampling_rate=RATE, padding=True, truncation=False, return_tensors="np"
        )
    mel: Samples = found["input_features"][0]
    return mel


def token_ids(processor: Any, text: str, frames: int) -> list[int]:
    """Return the tokens of a prompt, with as many audio tokens as the encoder makes of a clip."""
    from qwen_asr.core.transformers_backend.processing_qwen3_asr import (
        _get_feat_extract_output_lengths,
    )

    length = int(_get_feat_extract_output_lengths(np.array([frames]))[0])
    whole = processor.replace_multimodal_special_tokens([text], iter([length]))[0]
    ids: list[int] = processor.tokenizer(whole)["input_ids"]
    return ids


def padded(
    processor: Any, ids: Sequence[Sequence[int]], mels: Sequence[Samples], side: str = "left"
) -> dict[str, Any]:
    """Return tensors of a batch: the four that the network takes.

    Args:
        processor: Of the model.
        ids: Tokens of each clip.
        mels: Its features.
        side: Where tokens are padded; features are always padded at their end.
    """
    import torch

    longest = max(map(len, ids))
    frames = max(mel.shape[1] for mel in mels)
    tokens = torch.full((len(ids), longest), processor.tokenizer.pad_token_id)
    mask = torch.zeros((len(ids), longest), dtype=torch.long)
    features = torch.zeros((len(mels), mels[0].shape[0], frames))
    feature_mask = torch.zeros((len(mels), frames), dtype=torch.long)
    for row, (each, mel) in enumerate(zip(ids, mels, strict=True)):
        place = slice(longest - len(each), None) if side == "left" else slice(len(each))
        tokens[row, place] = torch.tensor(each)
        mask[row, place] = 1
        features[row, :, : mel.shape[1]] = torch.from_numpy(mel)
        feature_mask[row, : mel.shape[1]] = 1
    return {
        "input_ids": tokens,
        "attention_mask": mask,
        "input_features": features,
        "feature_attention_mask": feature_mask,
    }


def answer(
    qwen: Qwen,
    mels: Sequence[Samples],
    languages: Sequence[str | None],
    *,
    contexts: Sequence[str] = (),
    beams: int = 1,
) -> list[Heard]:
    """Transcribe one batch.

    Args:
        qwen: The model, on its device.
        mels: Features of each clip.
        languages: Name of the language that the answer is made to begin with; None: the model
            names it.
        contexts: What the model is told before each clip; by default nothing.
        beams: Hypotheses that the search keeps; 1 is greedy.

    Returns:
        An answer a clip, in their order. What the model repeats stays as it is.
    """
    import torch

    processor, network = qwen.processor, qwen.network
    ids = [
        token_ids(processor, prompt(processor, context, language), mel.shape[1])
        for mel, language, context in zip(
            mels, languages, contexts or [""] * len(mels), strict=True
        )
    ]
    batch = padded(processor, ids, mels)
    weights = next(network.parameters())
    batch["input_features"] = batch["input_features"].to(weights.dtype)
    most = [_most_tokens(mel) for mel in mels]
    with torch.inference_mode():
        found = network.generate(
            **{name: value.to(weights.device) for name, value in batch.items()},
            max_new_tokens=max(most),
            eos_token_id=qwen.ends,
            pad_token_id=processor.tokenizer.pad_token_id,
            num_beams=beams,
            do_sample=False,
        )
    spoken = found.sequences[:, batch["input_ids"].shape[1] :].tolist()
    said = processor.batch_decode(
        [own[:limit] for own, limit in zip(spoken, most, strict=True)],
        skip_special_tokens=True,
        clean_up_tokenization_spaces=False,
    )
    return [
        Heard(raw.strip(), language) if language else taken_apart(raw)
        for raw, language in zip(said, languages, strict=True)
    ]


def _most_tokens(mel: Samples) -> int:
    """Return how long the answer to a clip may be: it does not depend on other clips."""
    seconds = float(mel.shape[1]) / 100
    return min(_MOST_TOKENS, _TOKENS + math.ceil(_TOKENS_A_SECOND * seconds))


def taken_apart(raw: str) -> Heard:
    """Return language and text of an answer or a target.

    >>> taken_apart("language English<asr_text>so what")
    Heard(text='so what', language='English')
    >>> taken_apart("language None<asr_text>"), taken_apart("so what")
    (Heard(text='', language=''), Heard(text='so what', language=''))
    """
    before, mark, text = raw.partition(MARK)
    if not mark:
        return Heard(raw.strip())
    language = before.strip().removeprefix("language").strip()
    return Heard(text.strip(), "" if language == "None" else language)
