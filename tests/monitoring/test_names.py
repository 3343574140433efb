"""Names of four trainers for the same thing."""

from __future__ import annotations

import polars as pl
import pytest

from asrdq.monitoring.logs import frame
from asrdq.monitoring.names import classify


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("loss", ("train", "loss")),  # Hugging Face
        ("eval_loss", ("validation", "loss")),
        ("eval_wer", ("validation", "wer")),
        ("learning_rate", ("train", "learning_rate")),
        ("grad_norm", ("train", "grad_norm")),
        ("train/loss", ("train", "loss")),  # its event files
        ("eval/cer", ("validation", "cer")),
        ("train/train_loss", ("train", "mean_loss")),  # the mean over the run
        ("train/train_runtime", ("train", "runtime")),
        ("train_loss", ("train", "loss")),  # Lightning and NeMo
        ("train_loss_step", ("train", "loss")),
        ("train_loss_epoch", ("train", "epoch_loss")),
        ("reduced_train_loss", ("train", "loss")),
        ("val_loss_epoch", ("validation", "loss")),
        ("val_wer", ("validation", "wer")),
        ("training_batch_wer", ("train", "wer")),
        ("lr-AdamW", ("train", "learning_rate")),
        ("lr-AdamW/pg2", ("train", "learning_rate/pg2")),
        ("train/learning_rate_audio_top", ("train", "learning_rate/audio_top")),
        ("train_step_timing in s", ("train", "step_seconds")),
        ("it/s", ("train", "steps_per_second")),
        ("samples/sec", ("train", "samples_per_second")),
        ("train/samples_per_second", ("train", "samples_per_second")),
        ("eval_samples_per_second", ("validation", "samples_per_second")),
        ("gpu_mem", ("system", "gpu_memory_gb")),
        ("system/gpu.0.memory_allocated", ("system", "gpu_memory_gb/0")),
        ("system/gpu.1.memoryAllocatedPercent", ("system", "gpu_memory_percent/1")),
        ("system/gpu.0.gpu", ("system", "gpu_use/0")),
        ("gpu_utilization", ("system", "gpu_use")),
        ("test_wer", ("test", "wer")),
        ("phase0/noisy/mean_coverage", ("audit", "noisy/mean_coverage")),
    ],
)
def test_a_name_has_split_and_metric(name: str, expected: tuple[str, str]) -> None:
    assert classify(name) == expected


def test_memory_is_in_gigabytes_and_use_a_share() -> None:
    values = [("gpu_mem", 31.2), ("gpu_mem", 38 * 1024.0**3), ("gpu_utilization", 93.0)]
    rows = frame((step, name, value, None, None) for step, (name, value) in enumerate(values))
    assert rows["value"].to_list() == [31.2, 38.0, 0.93]
    assert rows["metric"].cast(pl.String).to_list() == ["gpu_memory_gb"] * 2 + ["gpu_use"]


def test_a_time_that_cannot_be_is_left_out() -> None:
    rows = frame(
        [(1, "loss", 1.0, None, -5.0), (2, "loss", 1.0, None, 1e18), (3, "loss", 1.0, None, 7.0)]
    )
    assert rows["wall_time"].to_list() == [None, None, 7.0]
