"""Training clips are changed, by a chance that can be repeated; clips of an evaluation never."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.training.qwen.conftest import MakeJob, recipe_of

from asrdq.recipes.recipe import AugmentationSection, SpecAugment
from asrdq.training.qwen.augmentation import add_noise, mask, pick_speed
from asrdq.training.qwen.rows import read_rows

if TYPE_CHECKING:
    from asrdq.models.qwen import Samples

EVERYTHING = AugmentationSection(
    spec_augment=SpecAugment(), speed_perturbation=(0.9, 1.1), noise_snr_db=(10.0,)
)


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_noise_has_the_ratio_of_the_recipe() -> None:
    tone = np.sin(np.arange(160_000) / 5).astype(np.float32)
    noise = add_noise(tone, EVERYTHING, chance()) - tone
    ratio = 10 * np.log10(np.mean(tone**2) / np.mean(noise**2))
    assert ratio == pytest.approx(10.0, abs=0.1)
    assert add_noise(tone, AugmentationSection(), chance()) is tone


def test_masks_are_as_wide_and_as_many_as_the_recipe_allows() -> None:
    """Bands of 128 and frames of 200, all 1 but one: masked cells have the mean of the clip."""
    mel: Samples = np.ones((128, 200), np.float32)
    mel[0, 0] = 100.0
    spec = SpecAugment(frequency_masks=2, frequency_width=27, time_masks=2, time_width=0.05)
    seen = 0
    for seed in range(30):
        masked = mask(mel, spec, chance(seed)) == mel.mean()
        bands, frames = masked.all(axis=1).sum(), masked.all(axis=0).sum()
        assert bands <= 2 * 27
        assert frames <= 2 * 10
        assert (masked == (masked.all(axis=1)[:, None] | masked.all(axis=0))).all()
        seen += bool(bands and frames)
    assert seen > 15
    assert mask(mel, None, chance()) is mel


def test_every_speed_is_drawn_about_as_often() -> None:
    three = AugmentationSection(speed_perturbation=(0.9, 1.0, 1.1))
    rng = chance()
    drawn = [pick_speed(three, rng) for _ in range(3000)]
    assert {speed: round(drawn.count(speed), -2) for speed in set(drawn)} == {
        0.9: pytest.approx(1000, abs=100),
        1.0: pytest.approx(1000, abs=100),
        1.1: pytest.approx(1000, abs=100),
    }
    assert pick_speed(AugmentationSection(), rng) == 1.0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_clip_is_slowed_down_noisy_and_masked_and_again_the_same(
    make_job: MakeJob, tiny: Path, tmp_path: Path
) -> None:
    import torch

    from asrdq.models.qwen import load_qwen
    from asrdq.training.qwen.batches import Draw
    from asrdq.training.qwen.dataset import SpeechClips, clip_features

    rows = read_rows(make_job(tmp_path).train, recipe_of().data).kept
    processor = load_qwen(str(tiny), torch.device("cpu"), torch.float32).processor
    slow = AugmentationSection(speed_perturbation=(0.5,))
    plain = clip_features(processor, rows[1])
    slowed = clip_features(processor, rows[1], slow, chance())
    assert slowed.shape[1] == pytest.approx(2 * plain.shape[1], abs=2)
    clips = SpeechClips(rows, processor, EVERYTHING, seed=3)
    one, again, later, copy = (
        clips[draw].mel for draw in (Draw(1, 0), Draw(1, 0), Draw(1, 1), Draw(1, 0, copy=1))
    )
    assert np.array_equal(one, again)
    assert not _equal(one, later)
    assert not _equal(one, copy)
    judged = SpeechClips(rows, processor, None, seed=3)
    assert np.array_equal(judged[Draw(1, 0)].mel, plain)


def _equal(left: Any, right: Any) -> bool:
    return left.shape == right.shape and bool((left == right).all())
