"""What is done to training clips: another speed, noise, masks over the spectrogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from asrdq.recipes.recipe import AugmentationSection, SpecAugment

Samples = npt.NDArray[np.float32]


def pick_speed(augmentation: AugmentationSection, rng: np.random.Generator) -> float:
    """Return a speed, each as likely as the others; 1.0 where there is none to pick from."""
    speeds = augmentation.speed_perturbation
    return float(rng.choice(speeds)) if speeds else 1.0


def add_noise(
    samples: Samples, augmentation: AugmentationSection, rng: np.random.Generator
) -> Samples:
    """Add white noise at one of the ratios of the recipe, in dB of the mean power of the clip."""
    if not augmentation.noise_snr_db:
        return samples
    ratio = float(rng.choice(augmentation.noise_snr_db))
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    noise = rng.normal(0.0, np.sqrt(power / 10 ** (ratio / 10)), len(samples))
    return (samples + noise).astype(np.float32)


def mask(mel: Samples, spec: SpecAugment | None, rng: np.random.Generator) -> Samples:
    """Return features, (bands, frames), with bands and spans of time set to the clip's mean.

    As in SpecAugment (Park and others, 2019): each mask has a width drawn from 0 to the greatest,
    and any place.
    """
    if spec is None:
        return mel
    masked, value = mel.copy(), mel.mean()
    bands, frames = mel.shape
    for _ in range(spec.frequency_masks):
        masked[_span(bands, min(spec.frequency_width, bands), rng), :] = value
    for _ in range(spec.time_masks):
        masked[:, _span(frames, int(spec.time_width * frames), rng)] = value
    return masked


def _span(size: int, widest: int, rng: np.random.Generator) -> slice:
    width = int(rng.integers(0, widest + 1))
    begin = int(rng.integers(0, size - width + 1))
    return slice(begin, begin + width)
