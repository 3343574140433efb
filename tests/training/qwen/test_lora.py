"""Adapters train, the weights under them rest, and merged they say the same."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.training.qwen.conftest import GROUPS, STAGES, MakeJob, train

from asrdq.errors import UsageError

if TYPE_CHECKING:
    from asrdq.training import TrainingJob

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

MODULES = ("q_proj", "v_proj", "gate_proj", "up_proj", "down_proj", "proj1", "proj2")


@pytest.fixture(scope="module")
def adapted(make_job: MakeJob, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingJob, Any]:
    job = make_job(
        tmp_path_factory.mktemp("lora"),
        steps=8,
        every=8,
        model={"lora": {"rank": 4, "alpha": 8, "dropout": 0.0, "modules": MODULES}},
        optimiser={"lr": 1e-2},
        evaluation={"normaliser": "basic", "per_domain_clips": 2, "domain_column": "domain"},
        checkpoints={"monitor": "val_loss"},
    )
    return job, train(job)


def test_the_loss_falls_with_adapters_alone(adapted: tuple[TrainingJob, Any]) -> None:
    job, trained = adapted
    with (job.run_dir / "metrics.csv").open() as file:
        losses = [float(row["train_loss"]) for row in csv.DictReader(file) if row["train_loss"]]
    assert losses[-1] < losses[0] - 0.5
    assert 0 < trained.trainable < trained.parameters / 2


def test_the_merged_model_has_the_logits_of_base_and_adapters(
    adapted: tuple[TrainingJob, Any], clips: list[dict[str, Any]]
) -> None:
    import torch
    from peft import PeftModel

    from asrdq.models.qwen import load_qwen

    job, trained = adapted
    device = torch.device("cpu")
    base = load_qwen(job.base, device, torch.float32)
    merged = load_qwen(str(trained.model), device, torch.float32)
    inputs = _batch(base.processor, clips)
    with torch.no_grad():
        plain = base.network(**inputs).logits
        together = PeftModel.from_pretrained(base.network, trained.best).eval()(**inputs).logits
        found = merged.network(**inputs).logits
    assert torch.allclose(found, together, atol=1e-4)
    assert not torch.allclose(found, plain, atol=1e-2)


def _batch(processor: Any, clips: list[dict[str, Any]]) -> dict[str, Any]:
    from asrdq.audio import decode
    from asrdq.models.qwen import features_of, padded, prompt, token_ids

    mels = [features_of(processor, decode(row["audio"]).samples) for row in clips[:2]]
    ids = [token_ids(processor, prompt(processor) + "language", mel.shape[1]) for mel in mels]
    return padded(processor, ids, mels)


def test_weights_under_the_adapters_stay_bit_for_bit(adapted: tuple[TrainingJob, Any]) -> None:
    from safetensors.torch import load_file

    job, trained = adapted
    before = load_file(Path(job.base) / "model.safetensors")
    after = load_file(Path(trained.model) / "model.safetensors")
    changed = {name for name in before if not before[name].equal(after[name])}
    assert changed
    assert all(name.rpartition(".")[0].rpartition(".")[2] in MODULES for name in changed)


def test_stages_choose_which_adapters_train(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(
        tmp_path,
        steps=1,
        validation=(),
        model={
            "groups": {name: GROUPS[name] for name in ("llm_top", "audio_top")},
            "lora": {"rank": 2, "alpha": 4, "modules": ["q_proj"]},
        },
        stages=[{"from_epoch": 1, "train": ["llm_top"]}, {"from_epoch": 3, "train": ["audio_top"]}],
    )
    assert train(job).trainable == 2 * (64 + 64)  # one layer's q_proj, 64 × 64, of rank 2


def test_a_group_without_a_module_for_adapters_is_refused(
    make_job: MakeJob, tmp_path: Path
) -> None:
    job = make_job(
        tmp_path,
        model={"groups": GROUPS, "lora": {"modules": ["q_proj"]}},
        stages=STAGES,
    )
    with pytest.raises(UsageError, match="group 'lm_head' has nothing to train"):
        train(job)


def test_a_run_with_dropout_goes_on_with_the_same_chance(
    make_job: MakeJob, clips: list[dict[str, Any]], tmp_path: Path
) -> None:
    files = []
    for name, stops in (("plain", False), ("stopped", True)):
        job = make_job(
            tmp_path / name,
            steps=3,
            validation=clips[:1],
            model={"lora": {"rank": 2, "alpha": 4, "dropout": 0.3, "modules": ["q_proj"]}},
        )
        if stops:
            (job.run_dir / "STOP").touch()
            assert train(job).steps == 1
            (job.run_dir / "STOP").unlink()
        assert train(job).steps == 3
        last = job.run_dir / "checkpoints" / "checkpoint-3"
        files.append((last / "adapter_model.safetensors").read_bytes())
    assert files[0] == files[1]
