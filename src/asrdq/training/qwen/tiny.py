"""Tiny Qwen3-ASR models with random weights, for rehearsals, tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from asrdq.errors import DataError
from asrdq.models import needs
from asrdq.models.qwen import MARK, quiet_transformers

_PIECES: Final = 400
_TEMPLATE: Final = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'audio' %}{{ '<|audio_start|><|audio_pad|><|audio_end|>' }}"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""What the chat template of the released models makes of a system message and one clip."""


def tiny_qwen(
    texts: Iterable[str],
    folder: Path,
    *,
    seed: int = 0,
    width: int = 64,
    layers: int = 2,
    tied: bool = True,
) -> Path:
    """Build a model of about 400,000 parameters, with a tokenizer of its own, and save it.

    Args:
        texts: Transcripts that the tokenizer is trained on; it can spell any other text too.
        folder: Where the model goes.
        seed: Of the random weights.
        width: Size of the hidden states, of audio and language alike; a multiple of 16.
        layers: Layers of the audio encoder, and of the language model.
        tied: Whether the head shares its weights with the embeddings, as in the small models.

    Returns:
        The folder, which loads like a released model.

    Raises:
        DataError: The texts hold no letter.
        ToolError: qwen-asr is not installed.
    """
    needs("qwen_asr", "a tiny Qwen3-ASR model")
    import torch
    from qwen_asr.core.transformers_backend import Qwen3ASRConfig, Qwen3ASRProcessor
    from transformers import GenerationConfig, WhisperFeatureExtractor

    from asrdq.models.qwen_network import Qwen3ASRForConditionalGeneration

    lines = [line for line in (" ".join(text.split()) for text in texts) if line]
    if not lines:
        raise DataError("a tokenizer needs texts, and there is no letter in these")
    with quiet_transformers(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer = _tokenizer([*lines, "language English", "language None"])
        extractor = WhisperFeatureExtractor(feature_size=128, return_attention_mask=True)
        processor = Qwen3ASRProcessor(extractor, tokenizer, chat_template=_TEMPLATE)
        config = Qwen3ASRConfig(
            thinker_config=_sizes(tokenizer, width, layers, tied), support_languages=["English"]
        )
        network = Qwen3ASRForConditionalGeneration(config)
        network.generation_config = GenerationConfig(
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
        )
        network.save_pretrained(folder)
        processor.save_pretrained(folder)
    return folder


def _tokenizer(lines: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import Qwen2TokenizerFast

    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.NFC()
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=_PIECES, initial_alphabet=alphabet, show_progress=False
    )
    trained.train_from_iterator(lines, trainer)
    tokenizer = Qwen2TokenizerFast(
        tokenizer_object=trained,
        unk_token=None,
        bos_token=None,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        extra_special_tokens={
            "audio_token": "<|audio_pad|>",
            "audio_bos_token": "<|audio_start|>",
            "audio_eos_token": "<|audio_end|>",
        },
    )
    tokenizer.add_tokens([MARK], special_tokens=False)  # it stays where special ones are skipped
    return tokenizer


def _sizes(tokenizer: Any, width: int, layers: int, tied: bool) -> dict[str, Any]:
    heads, size = width // 16, 16
    audio = {
        "num_mel_bins": 128,
        "encoder_layers": layers,
        "encoder_attention_heads": heads,
        "encoder_ffn_dim": 2 * width,
        "d_model": width,
        "n_window": 50,
        "n_window_infer": 800,
        "downsample_hidden_size": width // 4,
        "output_dim": width,
    }
    language = {
        "vocab_size": len(tokenizer),
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": max(1, heads // 2),
        "head_dim": size,
        "max_position_embeddings": 4096,
        "rope_theta": 1e6,
        "tie_word_embeddings": tied,
        "rope_scaling": {
            "rope_type": "default",
            "mrope_section": [4, 2, 2],
            "interleaved": True,
            "mrope_interleaved": True,
        },
    }
    names = {"audio_token_id": "audio_pad", "audio_start_token_id": "audio_start"}
    ids = {key: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for key, name in names.items()}
    return {"audio_config": audio, "text_config": language, **ids}
