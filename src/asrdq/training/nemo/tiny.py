"""Tiny NeMo models with random weights, for rehearsals, tests and benchmarks on any machine."""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final, Literal

from asrdq.errors import DataError
from asrdq.models import needs
from asrdq.models.nemo import needs_nemo, quiet_nemo
from asrdq.training.nemo.tiny_config import CLASSES, tiny_config

TinyFamily = Literal["ctc", "rnnt", "tdt", "hybrid", "aed"]

_PIECES: Final = 64
_SPECIAL: Final = ("translate", "transcribe", "en")


def tiny_model(family: TinyFamily, texts: Iterable[str], folder: Path, seed: int = 0) -> Path:
    """Build a model under 300,000 parameters and save it; on CPU it takes about a second.

    Its tokenizer is trained from the texts. A TDT model is saved with NeMo's own loss, which runs
    on a GPU only; the backend puts one that runs on a CPU in its place.

    Args:
        family: `ctc`, `rnnt`, `tdt`, `hybrid` (RNNT with CTC) or `aed` (Canary with its prompts,
            in English).
        texts: Transcripts that the tokenizer has to cover.
        folder: Where the model and its tokenizers go; made where it is missing.
        seed: Of the random weights.

    Returns:
        `FOLDER/FAMILY.nemo`.

    Raises:
        DataError: The texts hold no letter.
        ToolError: NeMo is not installed.
    """
    needs_nemo("a tiny NeMo model")
    import torch
    from nemo.collections.asr import models
    from omegaconf import OmegaConf

    folder.mkdir(parents=True, exist_ok=True)
    special = folder / "special"
    with quiet_nemo(), torch.random.fork_rng():
        tokenizer = train_tokenizer(texts, folder / "tokenizer")
        if family == "aed":
            _special_tokens(special)
        torch.manual_seed(seed)
        config = OmegaConf.create(tiny_config(family, tokenizer, special))
        model = getattr(models, CLASSES[family])(config)
        path = folder / f"{family}.nemo"
        model.save_to(str(path))
    return path


def train_tokenizer(texts: Iterable[str], folder: Path, pieces: int = _PIECES) -> Path:
    """Train a SentencePiece tokenizer and write it as NeMo reads it.

    Args:
        texts: What it has to cover; every letter gets a piece.
        folder: Where `tokenizer.model` and `vocab.txt` go.
        pieces: Size of the vocabulary; more where the texts have more letters, fewer where they
            do not fill it.

    Returns:
        The folder.

    Raises:
        DataError: The texts hold no letter.
    """
    needs("sentencepiece", "a tokenizer")
    import sentencepiece

    lines = [line for line in (" ".join(text.split()) for text in texts) if line]
    if not lines:
        raise DataError("a tokenizer needs texts, and there is no word in them")
    letters = len(set("".join(lines)))
    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=max(pieces, letters + 3),
        model_type="bpe",
        character_coverage=1.0,
        hard_vocab_limit=False,
        bos_id=-1,
        eos_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    vocabulary = [model.id_to_piece(index) for index in range(1, model.get_piece_size())]
    text = "".join(
        f"{piece[1:]}\n" if piece.startswith("▁") else f"##{piece}\n" for piece in vocabulary
    )
    (folder / "vocab.txt").write_text(text, encoding="utf-8")
    return folder


def _special_tokens(folder: Path) -> None:
    from nemo.collections.common.tokenizers.canary_tokenizer import CanaryTokenizer

    with redirect_stdout(io.StringIO()):
        CanaryTokenizer.build_special_tokenizer(list(_SPECIAL), folder)
