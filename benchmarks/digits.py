"""Tiny CTC models that learn spoken digits in seconds, and digits in a row to align.

The recordings are those of the Free Spoken Digit Dataset; where one begins and ends in a row of
them is known to the sample.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

RATE = 16_000
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")

Samples = npt.NDArray[np.float32]
Recordings = Mapping[str, Sequence[Samples]]
"""For each word its recordings at 16 kHz."""


@dataclass(frozen=True)
class Row:
    """Digits in a row, with begin and end of each in samples."""

    samples: Samples
    words: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]


def read_digits(fsdd: Path, speakers: Sequence[str], takes: Sequence[int]) -> Recordings:
    """Read recordings of each digit by some speakers."""
    return {
        word: [
            _read(fsdd / "recordings" / f"{digit}_{speaker}_{take}.wav")
            for speaker in speakers
            for take in takes
        ]
        for digit, word in enumerate(WORDS)
    }


def _read(file: Path) -> Samples:
    samples, rate = soundfile.read(file, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, RATE), dtype=np.float32)


def row_of(chance: np.random.Generator, digits: Recordings, words: Sequence[str]) -> Row:
    """Put digits in a row, with 50 to 250 ms of room noise before, between and after them."""
    parts: list[Samples] = [_pause(chance)]
    edges = []
    for word in words:
        begin = sum(map(len, parts))
        recording = digits[word][chance.integers(len(digits[word]))]
        parts += [recording, _pause(chance)]
        edges.append((begin, begin + len(recording)))
    return Row(np.concatenate(parts), tuple(words), tuple(edges))


def _pause(chance: np.random.Generator) -> Samples:
    noise = chance.standard_normal(chance.integers(RATE // 20, RATE // 4)) * 1e-3
    return noise.astype(np.float32)


def any_row(chance: np.random.Generator, digits: Recordings, most: int) -> Row:
    """Return a row of one to `most` random digits."""
    return row_of(chance, digits, chance.choice(WORDS, chance.integers(1, most + 1)).tolist())


def frame_labels(
    row: Row, frames: int, frame_s: float, tokens: Callable[[str], list[int]], blank: int, gap: int
) -> npt.NDArray[np.int64]:
    """Return a token for each frame: those of a word share its frames, silence is blank.

    The middle of a pause between words is `gap`.
    """
    labels = np.full(frames, blank, dtype=np.int64)
    before = None
    for word, (begin, end) in zip(row.words, row.edges, strict=True):
        spelled = tokens(word)
        doubled = [
            label
            for token, last in zip(spelled, [None, *spelled], strict=False)
            for label in ([blank, token] if token == last else [token])
        ]
        first, last = round(begin / RATE / frame_s), min(frames, round(end / RATE / frame_s))
        edges = np.linspace(first, last, len(doubled) + 1).round().astype(int)
        for label, (a, b) in zip(doubled, itertools.pairwise(edges), strict=True):
            labels[a:b] = label
        if before is not None:
            labels[(before + first) // 2] = gap
        before = last
    return labels


def train(
    model: Any,
    logits: Callable[[list[Samples]], tuple[Any, list[int]]],
    labels: Callable[[Row, int], npt.NDArray[np.int64]],
    digits: Recordings,
    *,
    steps: int,
    rate: float,
    seed: int = 0,
) -> None:
    """Teach a model which token each frame holds, by plain gradient descent.

    Args:
        model: A torch module.
        logits: Gives (clips, frames, tokens) and the frames of each clip.
        labels: Gives the tokens of a row for a number of frames.
        digits: What it learns.
        steps: Batches of eight rows of up to three digits.
        rate: Highest learning rate.
        seed: Of the rows.
    """
    import torch

    chance = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=0.15)
    model.train()
    for _ in range(steps):
        rows = [any_row(chance, digits, 3) for _ in range(8)]
        found, frames = logits([row.samples for row in rows])
        wanted = torch.full(found.shape[:2], -100)
        for at, (row, count) in enumerate(zip(rows, frames, strict=True)):
            wanted[at, :count] = torch.from_numpy(labels(row, count))
        loss = torch.nn.functional.cross_entropy(found.transpose(1, 2), wanted)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        schedule.step()
    model.eval()


def hf_model(folder: Path, digits: Recordings, *, steps: int = 300) -> Path:
    """Train a tiny Wav2Vec2ForCTC on letters and save it as Hugging Face does."""
    import torch
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
    )

    folder.mkdir(parents=True, exist_ok=True)
    letters = sorted(set("".join(WORDS).upper()))
    vocabulary = {text: at for at, text in enumerate(["<pad>", "<unk>", "|", *letters])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    Wav2Vec2CTCTokenizer(
        str(folder / "vocab.json"), bos_token=None, eos_token=None
    ).save_pretrained(folder)
    extract = Wav2Vec2FeatureExtractor(return_attention_mask=True)
    extract.save_pretrained(folder)
    torch.manual_seed(0)
    model = Wav2Vec2ForCTC(
        Wav2Vec2Config(
            vocab_size=len(vocabulary),
            hidden_size=96,
            num_hidden_layers=1,
            num_attention_heads=4,
            intermediate_size=192,
            conv_dim=(48, 64, 96),
            conv_kernel=(96, 20, 3),
            conv_stride=(16, 10, 2),
            feat_extract_norm="layer",
            do_stable_layer_norm=True,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4,
            hidden_dropout=0.0,
            attention_dropout=0.0,
            activation_dropout=0.0,
            feat_proj_dropout=0.0,
            final_dropout=0.0,
            layerdrop=0.0,
            mask_time_prob=0.0,
            pad_token_id=0,
        )
    )
    _begin_with_bands(model.wav2vec2.feature_extractor.conv_layers[0].conv.weight)
    frame_s = math.prod(model.config.conv_stride) / RATE

    def logits(clips: list[Samples]) -> tuple[Any, list[int]]:
        features = extract(clips, sampling_rate=RATE, padding=True, return_tensors="pt")
        lengths = [int(model._get_feat_extract_output_lengths(len(clip))) for clip in clips]
        return model(**features).logits, lengths

    def labels(row: Row, frames: int) -> npt.NDArray[np.int64]:
        return frame_labels(
            row, frames, frame_s, lambda word: [vocabulary[c] for c in word.upper()], 0, 2
        )

    train(model, logits, labels, digits, steps=steps, rate=4e-3)
    model.save_pretrained(folder)
    return folder


def _begin_with_bands(weight: Any) -> None:
    """Let the first convolution begin as a bank of band filters (mel scale) and not as noise."""
    import torch

    filters, _, length = weight.shape
    mel = np.linspace(*(2595 * math.log10(1 + hertz / 700) for hertz in (100, 4000)), filters)
    hertz = torch.from_numpy(700 * (10 ** (mel / 2595) - 1)).float()
    seconds = torch.arange(length) / RATE
    phase = 2 * math.pi * torch.rand(filters, 1)
    with torch.no_grad():
        weight[:, 0] = torch.hann_window(length) * torch.cos(
            2 * math.pi * hertz[:, None] * seconds + phase
        )


def nemo_model(folder: Path, digits: Recordings, *, steps: int = 180) -> Path:
    """Train a tiny CTC model of NeMo, whose tokenizer has a piece for each digit, and save it."""
    import torch

    from asrdq.models.nemo import load_nemo, quiet_nemo
    from asrdq.training.nemo.tiny import tiny_model

    file = tiny_model("ctc", WORDS, folder)
    with quiet_nemo():
        model = load_nemo(str(file), torch.device("cpu"))
        blank = int(model.decoder.num_classes_with_blank) - 1
        frame_s = float(model.cfg.preprocessor.window_stride) * model.encoder.subsampling_factor

        def logits(clips: list[Samples]) -> tuple[Any, list[int]]:
            lengths = torch.tensor([len(clip) for clip in clips])
            padded = torch.nn.utils.rnn.pad_sequence(
                [torch.from_numpy(clip) for clip in clips], batch_first=True
            )
            found, frames, _ = model(input_signal=padded, input_signal_length=lengths)
            return found, frames.tolist()

        def labels(row: Row, frames: int) -> npt.NDArray[np.int64]:
            return frame_labels(row, frames, frame_s, model.tokenizer.text_to_ids, blank, blank)

        train(model, logits, labels, digits, steps=steps, rate=4e-3)
        model.save_to(str(file))
    return file


def model_by_heart(
    folder: Path, spoken: Sequence[tuple[Samples, Sequence[str]]], *, steps: int = 500
) -> Path:
    """Train a tiny CTC model of NeMo by CTC's own loss until it knows recordings by heart."""
    import torch

    from asrdq.models.nemo import load_nemo, quiet_nemo
    from asrdq.training.nemo.tiny import tiny_model

    file = tiny_model("ctc", [" ".join(words) for _, words in spoken], folder)
    chance = np.random.default_rng(0)
    with quiet_nemo():
        model = load_nemo(str(file), torch.device("cpu"))
        texts = [
            torch.tensor([token for word in words for token in model.tokenizer.text_to_ids(word)])
            for _, words in spoken
        ]
        optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, steps, pct_start=0.2)
        model.train()
        for _ in range(steps):
            chosen = chance.choice(len(spoken), min(8, len(spoken)), replace=False)
            clips = [torch.from_numpy(spoken[at][0]) for at in chosen]
            found, frames, _ = model(
                input_signal=torch.nn.utils.rnn.pad_sequence(clips, batch_first=True),
                input_signal_length=torch.tensor([len(clip) for clip in clips]),
            )
            wanted = [texts[at] for at in chosen]
            loss = torch.nn.functional.ctc_loss(
                found.transpose(0, 1),
                torch.cat(wanted),
                frames,
                torch.tensor([len(text) for text in wanted]),
                blank=int(model.decoder.num_classes_with_blank) - 1,
                zero_infinity=True,
            )
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
            schedule.step()
        model.eval()
        model.save_to(str(file))
    return file
