"""Clips as the network takes them: decoded, resampled and augmented in loader processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from asrdq.audio import AudioError, decode
from asrdq.models.qwen import RATE, Samples, features_of, padded
from asrdq.training.qwen.augmentation import add_noise, mask, pick_speed
from asrdq.training.qwen.batches import Draw, EpochBatches
from asrdq.training.qwen.labels import IGNORED, Tokens, tokens_of
from asrdq.training.qwen.rows import Row

if TYPE_CHECKING:
    from asrdq.recipes.recipe import AugmentationSection, DataSection


@dataclass(frozen=True, slots=True)
class Example:
    """A clip as the network takes it; `index` is its row, `failed` whether it had no audio."""

    index: int
    tokens: Tokens
    mel: Samples
    masked: bool
    failed: bool = False


def clip_features(
    processor: Any,
    row: Row,
    augmentation: AugmentationSection | None = None,
    rng: np.random.Generator | None = None,
) -> Samples:
    """Return the features of a clip, (bands, frames), augmented where augmentation is given.

    Raises:
        AudioError: It cannot be decoded.
    """
    if augmentation is None or rng is None:
        audio = decode(row.audio, rate=RATE, offset_s=row.offset_s, duration_s=row.length_s)
        return features_of(processor, audio.samples)
    rate = round(RATE / pick_speed(augmentation, rng))
    audio = decode(row.audio, rate=rate, offset_s=row.offset_s, duration_s=row.length_s)
    mel = features_of(processor, add_noise(audio.samples, augmentation, rng))
    return mask(mel, augmentation.spec_augment, rng)


class SpeechClips(Dataset[Example]):  # type: ignore[misc]
    """Rows as examples, asked for by `Draw`s.

    What chance does to a clip follows from seed, epoch, row and copy: neither the number of loader
    processes nor a resumed run changes it. A clip that cannot be decoded becomes half a second of
    silence that no loss is taken of.

    Args:
        rows: The rows.
        processor: Of the model.
        augmentation: What is done to clips; None for an evaluation.
        seed: Of the augmentation.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        processor: Any,
        augmentation: AugmentationSection | None,
        seed: int,
    ) -> None:
        self.rows, self.processor = rows, processor
        self.augmentation, self._seed = augmentation, seed

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, draw: Draw) -> Example:
        row = self.rows[draw.row]
        rng = np.random.default_rng([self._seed, draw.epoch, draw.row, draw.copy])
        try:
            mel, failed = clip_features(self.processor, row, self.augmentation, rng), False
        except AudioError:
            mel, failed = features_of(self.processor, np.zeros(RATE // 2, np.float32)), True
        tokens = tokens_of(self.processor, row, mel.shape[1])
        return Example(draw.row, tokens, mel, draw.masked or failed, failed)


class Collate:
    """Makes a batch of examples: what the network takes, `labels`, and `failed` rows."""

    def __init__(self, processor: Any, side: str = "left") -> None:
        self._processor, self._side = processor, side

    def __call__(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Return tensors; `failed` is a list of row numbers."""
        ids = [example.tokens.ids for example in examples]
        batch = padded(self._processor, ids, [example.mel for example in examples], self._side)
        labels = torch.full_like(batch["input_ids"], IGNORED)
        for row, example in enumerate(examples):
            own = torch.tensor(example.tokens.labels(masked=example.masked))
            labels[row, batch["attention_mask"][row].bool()] = own
        failed = [example.index for example in examples if example.failed]
        return {**batch, "labels": labels, "failed": failed}


class EpochLoader(DataLoader[Example]):  # type: ignore[misc]
    """A loader whose batches are those of an epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0."""
        assert isinstance(self.batch_sampler, EpochBatches)
        self.batch_sampler.set_epoch(epoch)


def train_loader(clips: SpeechClips, batches: EpochBatches, data: DataSection) -> EpochLoader:
    """Return the loader of training clips, with the processes of the recipe."""
    return EpochLoader(
        clips,
        batch_sampler=batches,
        collate_fn=Collate(clips.processor),
        num_workers=data.workers,
        prefetch_factor=data.prefetch if data.workers else None,
        persistent_workers=data.workers > 0,
        pin_memory=torch.cuda.is_available(),
    )
