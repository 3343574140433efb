"""Tiny neural models that tests align with, each made once."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import digits
import numpy as np
import pytest

SPEAKERS = ("george", "jackson")


@pytest.fixture(scope="session")
def spoken_digits(shared_data: Path) -> digits.Recordings:
    """Five recordings of each digit by two speakers: what the models learn and align."""
    return digits.read_digits(shared_data / "fsdd", SPEAKERS, range(5))


@pytest.fixture(scope="session")
def rows(spoken_digits: digits.Recordings) -> list[digits.Row]:
    """Thirty rows of three to six digits."""
    chance = np.random.default_rng(11)
    return [
        digits.row_of(chance, spoken_digits, chance.choice(digits.WORDS, length).tolist())
        for length in chance.integers(3, 7, 30)
    ]


@pytest.fixture(scope="session")
def hf_digits(spoken_digits: digits.Recordings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Wav2Vec2ForCTC that has learned the digits by letters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return digits.hf_model(tmp_path_factory.mktemp("hf") / "digits", spoken_digits)


@pytest.fixture(scope="session")
def nemo_digits(spoken_digits: digits.Recordings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CTC model of NeMo that has learned the digits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return digits.nemo_model(tmp_path_factory.mktemp("nemo"), spoken_digits)


@pytest.fixture(scope="session")
def qwen_aligner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen3-ForcedAligner with random weights, as its files lie on a disk."""
    import torch

    from asrdq.models.qwen import load_qwen
    from asrdq.models.qwen_network import Qwen3ASRForConditionalGeneration
    from asrdq.training.qwen.tiny import tiny_qwen

    folder = tmp_path_factory.mktemp("qwen")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base = tiny_qwen(["please call me one two three", "今天天气"], folder / "asr")
        qwen = load_qwen(str(base), torch.device("cpu"), torch.float32)
        tokenizer, config = qwen.processor.tokenizer, qwen.network.config
        special = [*tokenizer.additional_special_tokens, "<timestamp>"]
        tokenizer.add_special_tokens({"additional_special_tokens": special})
        config.thinker_config.text_config.vocab_size = len(tokenizer)
        config.thinker_config.text_config.tie_word_embeddings = False
        config.thinker_config.model_type = "qwen3_forced_aligner"
        config.thinker_config.classify_num = 50
        config.timestamp_token_id = tokenizer.convert_tokens_to_ids("<timestamp>")
        config.timestamp_segment_time = 80
        torch.manual_seed(4)
        network = Qwen3ASRForConditionalGeneration(config)
        with torch.no_grad():
            network.thinker.lm_head.weight *= 50  # else every time is as likely as any other
        aligner = folder / "aligner"
        network.save_pretrained(aligner)
        qwen.processor.save_pretrained(aligner)
    written = json.loads((aligner / "config.json").read_text())
    written["thinker_config"]["model_type"] = "qwen3_forced_aligner"  # transformers drops it
    (aligner / "config.json").write_text(json.dumps(written))
    return aligner
