"""Memory of a GPU by component: figures that were seen are met, sums are worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asrdq.planning.batch import advise_batch, memory_findings
from asrdq.planning.findings import Level
from asrdq.planning.hardware import Hardware, parse_gpus
from asrdq.planning.kept import Kept
from asrdq.planning.memory import Memory, estimate_memory, largest_batch_s, trained_parameters
from asrdq.planning.steps import count_steps
from asrdq.recipes import read_recipe
from asrdq.recipes.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
MakeKept = Callable[..., Kept]

GRADUAL_S = 2 * 15 / 0.9  # two clips of 15 s, slowed to 0.9


def parts(memory: Memory) -> dict[str, float]:
    return {part.name: part.gb for part in memory.components}


def test_components_of_a_model_that_trains_whole(recipe: MakeRecipe, hardware: Hardware) -> None:
    made = recipe("smoke", model={"parameters": 1_000_000_000})
    found = parts(estimate_memory(made, parse_gpus("l40s", hardware), hardware, batch_s=100))
    assert found == pytest.approx(
        {
            "weights": 4.0,
            "half-precision copies": 2.0,
            "gradients": 4.0,
            "optimiser states": 8.0,
            "activations": 4.5,  # 100 s × 45 MB
            "reserve": 3.4,  # 1 GB and 5 % of 48
        }
    )


def test_several_gpus_have_buckets_and_shards_have_none(
    recipe: MakeRecipe, hardware: Hardware
) -> None:
    four = parse_gpus("4xl40s", hardware)
    made = recipe("smoke", model={"parameters": 1_000_000_000})
    assert parts(estimate_memory(made, four, hardware, batch_s=1))["communication"] == 4.0
    made = recipe("smoke", model={"parameters": 1_000_000_000}, trainer={"strategy": "fsdp"})
    found = parts(estimate_memory(made, four, hardware, batch_s=1))
    assert "communication" not in found
    assert (found["weights"], found["gradients"], found["optimiser states"]) == (1.0, 1.0, 2.0)


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("bf16-mixed", 18.0), ("fp16-mixed", 18.0), ("bf16-true", 8.0), ("fp32", 16.0)],
)
def test_bytes_a_parameter(
    recipe: MakeRecipe, hardware: Hardware, precision: str, expected: float
) -> None:
    made = recipe("smoke", model={"parameters": 1_000_000_000}, trainer={"precision": precision})
    found = parts(estimate_memory(made, parse_gpus("l40s", hardware), hardware, batch_s=0))
    assert sum(found.values()) - found["reserve"] == pytest.approx(expected)


def test_gradual_unfreezing_on_two_a100_of_40_gb(hardware: Hardware) -> None:
    """28 to 32 GB a GPU; 32 to 34 once the audio layers train; the alarm is at 38."""
    gradual, gpus = read_recipe("qwen3-asr-gradual"), parse_gpus("2xA100-40", hardware)
    text, audio = (
        estimate_memory(gradual, gpus, hardware, batch_s=GRADUAL_S, stage=stage)
        for stage in gradual.stages
    )
    assert text.low_gb >= 28 and text.high_gb <= 32
    assert 32 <= audio.total_gb <= 34
    assert 2 <= audio.total_gb - text.total_gb <= 4  # what unfreezing was seen to add
    assert text.alarm_gb == audio.alarm_gb == 38
    assert text.fits and audio.fits


def test_stages_train_their_groups(hardware: Hardware) -> None:
    gradual = read_recipe("qwen3-asr-gradual")
    text, audio = (trained_parameters(gradual, hardware, stage) for stage in gradual.stages)
    assert text == 4_194_304 + 487_234_560 + 320_917_814
    assert audio == text + 124_551_168


def test_adapters_train_little(recipe: MakeRecipe, hardware: Hardware) -> None:
    made = recipe("qwen3-asr-sft", model={"lora": {"rank": 16}})
    assert trained_parameters(made, hardware, None) == 17_154_321


@pytest.mark.parametrize(
    ("gpu", "batch"), [("a4000", 4), ("a10g", 4), ("l4", 4), ("l40s", 16), ("a6000", 16)]
)
def test_the_batch_of_a_tdt_model_of_0_6_b(
    hardware: Hardware, kept: MakeKept, gpu: str, batch: int
) -> None:
    sft, gpus = read_recipe("parakeet-tdt-sft"), parse_gpus(gpu, hardware)
    rows = kept(10_000, 20.0, longest_s=20.0)
    advice = advise_batch(sft, gpus, hardware, count_steps(sft, 1, rows), 20.0)
    assert advice.fitting == batch
    assert estimate_memory(sft, gpus, hardware, batch_s=batch * 20.0).fits


def test_the_batch_of_qwen3_asr_on_40_gb_and_its_accumulation(
    recipe: MakeRecipe, hardware: Hardware, kept: MakeKept
) -> None:
    bold = recipe("qwen3-asr-gradual", data={"batch_size": 8})
    gpus, rows = parse_gpus("2xA100-40", hardware), kept(10_000, 20.0)
    steps = count_steps(bold, 2, rows)
    advice = advise_batch(bold, gpus, hardware, steps, 15.0)
    assert (advice.planned, advice.fitting, advice.accumulation) == (8, 2, 16)
    memory = [
        estimate_memory(bold, gpus, hardware, batch_s=4 * GRADUAL_S, stage=stage)
        for stage in bold.stages
    ]
    (found,) = memory_findings(bold, gpus, memory, advice)
    assert found.level is Level.ERROR
    assert "a batch of 2 clips fits, with accumulation 16" in found.text


def test_the_largest_batch_is_just_under_the_alarm(hardware: Hardware) -> None:
    sft, gpus = read_recipe("parakeet-tdt-sft"), parse_gpus("l40s", hardware)
    seconds = largest_batch_s(sft, gpus, hardware)
    full = estimate_memory(sft, gpus, hardware, batch_s=seconds)
    assert full.total_gb == pytest.approx(0.95 * 48)
    assert not estimate_memory(sft, gpus, hardware, batch_s=seconds * 1.01).fits


def test_canary_with_2200_seconds_fits_192_gb_and_not_80(hardware: Hardware) -> None:
    canary = read_recipe("canary-finetune")
    on = {
        name: estimate_memory(canary, parse_gpus(name, hardware), hardware, batch_s=2200)
        for name in ("4xb200", "4xh100")
    }
    assert on["4xb200"].fits and not on["4xh100"].fits


def test_a_gpu_without_bf16_is_called_out(hardware: Hardware, kept: MakeKept) -> None:
    sft, gpus = read_recipe("parakeet-tdt-sft"), parse_gpus("t4", hardware)
    rows = kept(10_000, 20.0, longest_s=20.0)
    advice = advise_batch(sft, gpus, hardware, count_steps(sft, 1, rows), 20.0)
    memory = [estimate_memory(sft, gpus, hardware, batch_s=80.0)]
    first = next(memory_findings(sft, gpus, memory, advice))
    assert first.level is Level.ERROR
    assert "t4 has no bf16, and with fp16 the losses of a TDT model become NaN" in first.text


def test_a_model_that_never_fits_says_so(
    recipe: MakeRecipe, hardware: Hardware, kept: MakeKept
) -> None:
    huge = recipe("smoke", model={"parameters": 30_000_000_000})
    gpus, rows = parse_gpus("l40s", hardware), kept(100, 0.2)
    advice = advise_batch(huge, gpus, hardware, count_steps(huge, 1, rows), 15.0)
    assert advice.fitting == 0
    memory = [estimate_memory(huge, gpus, hardware, batch_s=60.0)]
    (found,) = memory_findings(huge, gpus, memory, advice)
    assert "not even one clip fits" in found.text


def test_whisper_pads_every_clip(recipe: MakeRecipe, hardware: Hardware, kept: MakeKept) -> None:
    from asrdq.planning.batch import in_memory_s

    assert in_memory_s(recipe("smoke", model={"family": "whisper"}), 3.0) == 30.0
    assert in_memory_s(read_recipe("qwen3-asr-gradual"), 15.0) == pytest.approx(16.667, abs=1e-3)
    assert in_memory_s(read_recipe("smoke"), 15.0) == 15.0
