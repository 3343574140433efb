"""Speech that a tiny model learns in seconds: each word is a tone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from asrdq.transcription.protocol import Samples

RATE = 16_000
HERTZ = {"low": 300.0, "high": 3_000.0}
WORD_S, GAP_S = 0.4, 0.3
SENTENCES = ["low", "high", "low high", "high low", "low high low", "high low high"]
MOST_STEPS, WARMUP, LEARNING_RATE = 400, 20, 3e-3
ENOUGH = 0.005
"""Loss of a sentence from which on it is known by heart."""


def spoken(sentence: str, seed: int = 0) -> Samples:
    """Return a sentence: silence, a tone, silence, a tone, …, silence."""
    times = np.arange(round(WORD_S * RATE)) / RATE
    gap = np.zeros(round(GAP_S * RATE))
    parts = [gap]
    for word in sentence.split():
        parts += [0.3 * np.sin(2 * np.pi * HERTZ[word] * times), gap]
    whole = np.concatenate(parts)
    noise = np.random.default_rng(seed).normal(0.0, 0.003, len(whole))
    return (whole + noise).astype(np.float32)


def taught(model: Path, out: Path) -> Path:
    """Overfit a tiny CTC model on `SENTENCES` and save it."""
    import torch

    from asrdq.models.nemo import load_nemo, quiet_nemo

    torch.manual_seed(0)
    learner = load_nemo(str(model), torch.device("cpu")).train()
    for module in learner.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eval()  # so that what is learned of a batch holds of each clip alone
    optimiser = torch.optim.AdamW(learner.parameters(), lr=LEARNING_RATE)
    signal, lengths = _padded([torch.from_numpy(spoken(each)) for each in SENTENCES])
    ids = [learner.tokenizer.text_to_ids(each) for each in SENTENCES]
    labels, label_lengths = _padded([torch.tensor(each) for each in ids])
    low = 0
    for step in range(1, MOST_STEPS + 1):
        optimiser.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, step / WARMUP)
        heard = signal + 0.003 * torch.randn_like(signal)
        log_probs, frames, _ = learner(input_signal=heard, input_signal_length=lengths)
        loss = learner.loss(
            log_probs=log_probs,
            targets=labels,
            input_lengths=frames,
            target_lengths=label_lengths,
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimiser.step()
        low = low + 1 if float(loss) < ENOUGH else 0
        if low == 10:
            break
    assert low == 10, "the tiny model has not learned its sentences"
    with quiet_nemo():
        learner.save_to(str(out))
    return out


def _padded(rows: list[Any]) -> tuple[Any, Any]:
    import torch

    lengths = torch.tensor([len(row) for row in rows])
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths
