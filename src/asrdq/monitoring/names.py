"""One name for what trainers call differently: `eval_wer`, `val_wer`, `eval/wer`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

TRAIN, VALIDATION, TEST, SYSTEM, AUDIT = "train", "validation", "test", "system", "audit"

LEARNING_RATE, GRAD_NORM, LOSS = "learning_rate", "grad_norm", "loss"
STEP_SECONDS, STEPS_PER_SECOND = "step_seconds", "steps_per_second"
DATA_SHARE = "data_share"
SAMPLES_PER_SECOND, GPU_MEMORY_GB, GPU_USE = "samples_per_second", "gpu_memory_gb", "gpu_use"

_SPLITS: Final = (
    (re.compile(r"(?:eval|val|valid|validation|dev)[/_]"), VALIDATION),
    (re.compile(r"test[/_]"), TEST),
    (re.compile(r"(?:train|training)[/_]"), TRAIN),
    (re.compile(r"system[/_.]"), SYSTEM),
    (re.compile(r"phase0/"), AUDIT),
)

_WHOLE: Final = {
    "reduced_train_loss": (TRAIN, LOSS),
    "train_step_timing_in_s": (TRAIN, STEP_SECONDS),
    "train_step_timing": (TRAIN, STEP_SECONDS),
    "batch_wer": (TRAIN, "wer"),
    "training_batch_wer": (TRAIN, "wer"),
    "mean_loss": (TRAIN, "mean_loss"),
    "train/train_loss": (TRAIN, "mean_loss"),  # in event files of the Trainer
}

_RATE_OF_GROUP: Final = re.compile(r"(?:learning_rate|lr)(?:-[A-Za-z]\w*)?(?:[/_.-](.+))?")
_GPU: Final = re.compile(r"(?:^|[/._\s])gpu|cuda|allocated_bytes|utilization")
_SYNONYMS: Final = {
    "gradient_norm": GRAD_NORM,
    "grad_2.0_norm_total": GRAD_NORM,
    "grad_norm_total": GRAD_NORM,
    "samples/sec": SAMPLES_PER_SECOND,
    "samples_per_sec": SAMPLES_PER_SECOND,
    "it/s": STEPS_PER_SECOND,
    "word_error_rate": "wer",
    "character_error_rate": "cer",
}
_GIBI: Final = 1024.0**3


@lru_cache(maxsize=4096)
def classify(name: str) -> tuple[str, str]:
    """Return split and metric of a name in a log.

    >>> classify("eval/wer"), classify("val_loss"), classify("loss")
    (('validation', 'wer'), ('validation', 'loss'), ('train', 'loss'))
    >>> classify("lr-AdamW/pg1"), classify("train/learning_rate_projector")
    (('train', 'learning_rate/pg1'), ('train', 'learning_rate/projector'))
    """
    plain = re.sub(r"\s+", "_", name.strip().lower())
    if plain in _WHOLE:
        return _WHOLE[plain]
    split = TRAIN
    for pattern, found in _SPLITS:
        match = pattern.match(plain)
        if match:
            split, plain = found, plain[match.end() :]
            break
    if split == TRAIN:
        plain = plain.removeprefix("train_")  # `train/train_runtime`
    if split in (TRAIN, SYSTEM) and _GPU.search(plain):
        return SYSTEM, _gpu_metric(plain)
    return split, _metric(plain, split)


def _metric(plain: str, split: str) -> str:
    rate = _RATE_OF_GROUP.fullmatch(plain)
    if rate and split == TRAIN:
        return f"{LEARNING_RATE}/{rate[1]}" if rate[1] else LEARNING_RATE
    kept, other = ("_step", "_epoch") if split == TRAIN else ("_epoch", "_step")
    if plain.endswith(other):
        return f"{other[1:]}_{_SYNONYMS.get(plain.removesuffix(other), plain.removesuffix(other))}"
    plain = plain.removesuffix(kept)
    return _SYNONYMS.get(plain, plain)


def _gpu_metric(plain: str) -> str:
    device = re.search(r"(?:gpu|cuda)[.:_ ]?(\d+)", plain)
    tail = f"/{device[1]}" if device else ""
    if re.search(r"mem|allocated|reserved", plain):
        return f"gpu_memory_percent{tail}" if "percent" in plain else f"{GPU_MEMORY_GB}{tail}"
    if re.search(r"util|use|usage|gpu[.:_ ]?\d*[./]gpu$|gpu$", plain):
        return f"{GPU_USE}{tail}"
    return plain


def in_unit(metric: str) -> pl.Expr:
    """Return the values of a metric in its unit: gibibytes of memory, shares of GPU use.

    Trainers log memory in bytes as well as in gigabytes, and use in per cent as well as in shares.
    """
    import polars as pl

    value, own = pl.col("value"), pl.col("metric") == metric
    if metric.startswith(GPU_MEMORY_GB):
        return pl.when(own & (value > 1e6)).then(value / _GIBI).otherwise(value).alias("value")
    if metric.startswith(GPU_USE):
        return pl.when(own & (value > 1.0)).then(value / 100.0).otherwise(value).alias("value")
    return value
