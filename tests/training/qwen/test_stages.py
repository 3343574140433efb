"""Two stages switch at the right step, and exactly what is meant to moves."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asrdq.training import TrainingJob

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

UNDER_B = (
    "thinker.audio_tower.proj",
    "thinker.model.layers.1.",
    "thinker.model.norm.",
    "thinker.model.embed_tokens.",  # the head: it shares these weights
)
UNDER_A = (*UNDER_B, "thinker.audio_tower.layers.1.", "thinker.audio_tower.ln_post.")


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / "model.safetensors"))


def moved(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Names of tensors of which any bit differs."""
    assert before.keys() == after.keys()
    return {name for name in before if not before[name].equal(after[name])}


def named(tensors: dict[str, Any], beginnings: tuple[str, ...]) -> set[str]:
    return {name for name in tensors if name.startswith(beginnings)}


def states(job: TrainingJob) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The weights before the run, at the switch, and in the end."""
    kept = job.run_dir / "checkpoints"
    return weights(Path(job.base)), weights(kept / "checkpoint-4"), weights(kept / "checkpoint-8")


def test_the_first_stage_moves_its_groups_and_leaves_the_rest_bit_for_bit(
    undisturbed: TrainingJob,
) -> None:
    base, switch, _ = states(undisturbed)
    assert moved(base, switch) == named(base, UNDER_B)


def test_the_second_stage_moves_the_upper_audio_layer_too(undisturbed: TrainingJob) -> None:
    base, switch, end = states(undisturbed)
    assert moved(switch, end) == named(base, UNDER_A)
    assert named(base, UNDER_A) < set(base)


def test_the_switch_comes_with_the_first_step_of_epoch_three(undisturbed: TrainingJob) -> None:
    """Two steps an epoch: the fifth step is the first one that moves the audio layer."""
    rates = {}
    with (undisturbed.run_dir / "metrics.csv").open() as file:
        for row in csv.DictReader(file):
            if row["train_loss"]:
                rates[int(row["step"])] = (
                    float(row["learning_rate_audio_top"]),
                    float(row["learning_rate_projector"]),
                )
    assert [step for step, (audio, _) in rates.items() if audio > 0] == [5, 6, 7, 8]
    shares = {step: 0.5 * (1 + math.cos(math.pi * (step - 1 - 2) / 6)) for step in (4, 5)}
    assert rates[4][1] == pytest.approx(4e-3 * shares[4])
    assert rates[5] == pytest.approx((2e-3 * shares[5], 2e-3 * shares[5]))


def test_moments_of_groups_that_stay_are_kept_and_new_ones_begin_clean(
    undisturbed: TrainingJob,
) -> None:
    import torch

    file = undisturbed.run_dir / "checkpoints" / "checkpoint-8" / "optimizer.pt"
    saved = torch.load(file, weights_only=True)
    of_group = {
        index: group["groups"] for group in saved["param_groups"] for index in group["params"]
    }
    steps = {index: int(state["step"]) for index, state in saved["state"].items()}
    assert {steps[index] for index, groups in of_group.items() if groups == ("audio_top",)} == {4}
    assert {steps[index] for index, groups in of_group.items() if groups != ("audio_top",)} == {8}


def test_the_log_says_what_trains_with_counts(
    make_job: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from tests.training.qwen.conftest import GROUPS, STAGES, train

    job = make_job(
        tmp_path, steps=1, model={"groups": GROUPS}, stages=STAGES, validation=(), every=9
    )
    trained = train(job)
    told = capfd.readouterr().err
    projector = 2 * (64 * 64 + 64)
    assert f"projector: {projector:,} at 0.004" in told
    assert f"{trained.trainable:,} of {trained.parameters:,} parameters train" in told
    assert "shares its weights with the embeddings" in told


def test_a_language_that_released_models_have_no_name_for_is_told_at_the_start(
    make_job: Any, clips: list[dict[str, Any]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from tests.training.qwen.conftest import train

    hebrew = [{**row, "text": "language Hebrew<asr_text>בית־ספר, 2.5 OK"} for row in clips[:3]]
    train(make_job(tmp_path, steps=1, train=[*clips[3:5], *hebrew], validation=(), every=9))
    told = capfd.readouterr().err
    assert "3 clips are in Hebrew, which released models have no name for" in told
    assert "labels say what the transcripts say (5 compared)" in told
    assert "in English" not in told


def test_the_schedule_goes_on_over_the_switch(undisturbed: TrainingJob) -> None:
    """Cosine over all 8 steps with 2 of warm-up: the optimiser itself has its rates."""
    import torch

    folder = undisturbed.run_dir / "checkpoints" / "checkpoint-4"
    saved = torch.load(folder / "optimizer.pt", weights_only=True)
    rates = {group["groups"]: group["lr"] for group in saved["param_groups"]}
    left = 0.5 * (1 + math.cos(math.pi * (4 - 2) / 6))
    assert rates[("audio_top",)] == rates[("projector",)] == pytest.approx(2e-3 * left)
