"""A step is one step, in as many passes as it takes; a pass too large for the memory is halved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.training.qwen.conftest import MakeJob, train

from asrdq.errors import DataError, ToolError

if TYPE_CHECKING:
    from asrdq.training import TrainingJob

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

STEPS = 2


def job_of(make_job: MakeJob, folder: Path, batch: int, accumulation: int) -> TrainingJob:
    return make_job(
        folder,
        steps=STEPS,
        accumulation=accumulation,
        validation=(),
        data={"max_duration_s": 30.0, "batch_size": batch, "workers": 0},
    )


def end_of(job: TrainingJob) -> dict[str, Any]:
    from safetensors.torch import load_file

    last = job.run_dir / "checkpoints" / f"checkpoint-{STEPS}"
    return dict(load_file(last / "model.safetensors"))


def differ(left: dict[str, Any], right: dict[str, Any]) -> float:
    return max(float((left[name] - right[name]).abs().max()) for name in left)


@pytest.fixture(scope="module")
def in_one_pass(make_job: MakeJob, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    job = job_of(make_job, tmp_path_factory.mktemp("whole"), batch=16, accumulation=1)
    train(job)
    return end_of(job)


def test_four_passes_of_four_make_the_step_of_one_pass_of_sixteen(
    make_job: MakeJob, in_one_pass: dict[str, Any], tmp_path: Path
) -> None:
    """Every token weighs the same, in whichever pass it stands."""
    job = job_of(make_job, tmp_path, batch=4, accumulation=4)
    train(job)
    assert differ(end_of(job), in_one_pass) < 2e-4


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A network that can hold five clips, and runs out of memory in the backward pass."""
    import torch

    from asrdq.models.qwen_network import Qwen3ASRForConditionalGeneration as Network

    passes: list[int] = []
    forward = Network.forward

    def limited(self: Any, input_ids: Any, **inputs: Any) -> Any:
        passes.append(len(input_ids))
        found = forward(self, input_ids, **inputs)
        if len(input_ids) > 5:
            self.thinker.lm_head.weight.grad = torch.ones_like(self.thinker.lm_head.weight)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return found

    monkeypatch.setattr(Network, "forward", limited)
    return passes


def test_out_of_memory_halves_the_passes_and_says_so(
    make_job: MakeJob,
    in_one_pass: dict[str, Any],
    small_memory: list[int],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What the failed pass left behind in the gradients is gone: the step is the same."""
    job = job_of(make_job, tmp_path, batch=16, accumulation=1)
    train(job)
    assert small_memory == [16, 8] + [4, 4, 4, 4] * STEPS
    assert differ(end_of(job), in_one_pass) < 2e-4
    told = capfd.readouterr().err
    assert "passes of 8 clips, 2 a step" in told
    assert "passes of 4 clips, 4 a step; the effective batch stays 16" in told


def test_the_halving_is_remembered_when_a_run_goes_on(
    make_job: MakeJob, small_memory: list[int], tmp_path: Path
) -> None:
    job = job_of(make_job, tmp_path, batch=16, accumulation=1)
    (job.run_dir / "STOP").touch()
    assert train(job).steps == 1
    (job.run_dir / "STOP").unlink()
    small_memory.clear()
    assert train(job).steps == STEPS
    assert small_memory == [4, 4, 4, 4]


def test_a_single_clip_that_does_not_fit_ends_the_run(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import torch

    from asrdq.models.qwen_network import Qwen3ASRForConditionalGeneration as Network

    def full(self: Any, **_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Network, "forward", full)
    with pytest.raises(ToolError, match="a single clip does not fit into memory"):
        train(job_of(make_job, tmp_path, batch=4, accumulation=1))


def test_gradient_checkpointing_changes_no_gradient(
    make_job: MakeJob, in_one_pass: dict[str, Any], tmp_path: Path
) -> None:
    job = make_job(
        tmp_path,
        steps=STEPS,
        validation=(),
        data={"max_duration_s": 30.0, "batch_size": 16, "workers": 0},
        trainer={"precision": "fp32", "seed": 7, "gradient_checkpointing": True},
    )
    train(job)
    assert differ(end_of(job), in_one_pass) < 2e-4


def test_the_precision_is_that_of_the_recipe_whatever_accelerate_is_told(
    make_job: MakeJob,
    in_one_pass: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """transformers leaves this variable behind, where the next run of the process would find it."""
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    job = job_of(make_job, tmp_path, batch=16, accumulation=1)
    train(job)
    assert differ(end_of(job), in_one_pass) == 0.0
    assert os.environ["ACCELERATE_MIXED_PRECISION"] == "bf16"


def test_loader_processes_give_what_one_process_gives(
    make_job: MakeJob, in_one_pass: dict[str, Any], tmp_path: Path
) -> None:
    job = make_job(
        tmp_path,
        steps=STEPS,
        validation=(),
        data={"max_duration_s": 30.0, "batch_size": 16, "workers": 2},
    )
    train(job)
    assert differ(end_of(job), in_one_pass) == 0.0


def test_the_upper_layers_learn_faster_where_rates_fall_layer_by_layer(
    make_job: MakeJob, tmp_path: Path
) -> None:
    import torch

    job = make_job(tmp_path, steps=1, validation=(), optimiser={"lr": 1e-3, "layer_decay": 0.5})
    train(job)
    file = job.run_dir / "checkpoints" / "checkpoint-1" / "optimizer.pt"
    groups = torch.load(file, weights_only=True)["param_groups"]
    assert {group["lr"] for group in groups} == {1e-3, 5e-4, 2.5e-4}


def test_clips_that_cannot_be_decoded_cost_themselves_and_many_of_them_the_run(
    make_job: MakeJob, clips: list[dict[str, Any]], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    rows = [{**row, "audio": str(broken)} for row in clips[:1]] + clips[1:]
    job = make_job(tmp_path / "one", steps=2, validation=(), train=rows)
    assert train(job).steps == 2
    many = [{**row, "audio": str(broken)} for row in clips[:11]] + clips[11:]
    job = make_job(tmp_path / "many", steps=2, validation=(), train=many)
    with pytest.raises(DataError, match="11 clips cannot be decoded"):
        train(job)


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true"])
def test_half_precision_trains_evaluates_and_is_seen_in_tensorboard(
    make_job: MakeJob, clips: list[dict[str, Any]], precision: str, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    job = make_job(
        tmp_path,
        steps=2,
        every=2,
        validation=clips[:2],
        trainer={"precision": precision, "seed": 7, "gradient_checkpointing": True},
        loggers=["tensorboard"],
    )
    trained = train(job)
    assert list((job.run_dir / "tensorboard").glob("events.out.tfevents.*"))
    kinds = {str(each.dtype) for each in load_file(trained.model / "model.safetensors").values()}
    assert kinds == {"torch.float32" if precision == "bf16-mixed" else "torch.bfloat16"}
    text = (job.run_dir / "metrics.csv").read_text()
    assert "val_loss" in text
