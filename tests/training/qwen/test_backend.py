"""What cannot run is refused before a model is built."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.training.qwen.conftest import GROUPS, MakeJob, recipe_of, train

from asrdq.errors import ToolError, UsageError
from asrdq.training import TrainingBackend
from asrdq.training.qwen.backend import QwenBackend

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_it_is_a_backend_whose_module_loads_no_torch() -> None:
    assert isinstance(QwenBackend(), TrainingBackend)
    code = (
        "import sys, asrdq.training.qwen.backend;"
        "print({'torch', 'transformers', 'qwen_asr'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_all_that_it_cannot_do_is_told_at_once(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(tmp_path)
    recipe = recipe_of(
        model={"family": "whisper", "tokenizer": "tok"},
        optimiser={"name": "novograd"},
        evaluation={"metric": "ker"},
        checkpoints={"monitor": "val_ker", "mode": "max"},
    )
    with pytest.raises(UsageError) as error:
        QwenBackend().check(replace(job, recipe=recipe))
    told = str(error.value)
    for part in ("model.family", "tokenizer", "novograd", "metric ker", "val_ker", "mode max"):
        assert part in told


def test_batches_by_seconds_are_refused(make_job: MakeJob, tmp_path: Path) -> None:
    data = {"batch_size": None, "batch_duration_s": 60.0}
    with pytest.raises(UsageError, match="batches are clips here"):
        QwenBackend().check(replace(make_job(tmp_path), recipe=recipe_of(data=data)))


def test_a_normaliser_that_is_not_there_is_told_before(make_job: MakeJob, tmp_path: Path) -> None:
    recipe = recipe_of(evaluation={"normaliser": "hebrw"})
    with pytest.raises(UsageError, match="hebrew"):
        QwenBackend().check(replace(make_job(tmp_path), recipe=recipe))


def test_fp16_and_fsdp_need_gpus(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(tmp_path)
    with pytest.raises(ToolError, match="fp16 needs a GPU"):
        QwenBackend().check(replace(job, recipe=recipe_of(trainer={"precision": "fp16-mixed"})))
    with pytest.raises(UsageError, match="several GPUs"):
        QwenBackend().check(replace(job, recipe=recipe_of(trainer={"strategy": "fsdp"})))


def test_a_base_that_is_not_there_or_holds_pickles_is_refused(
    make_job: MakeJob, tiny: Path, tmp_path: Path
) -> None:
    job = make_job(tmp_path)
    with pytest.raises(ToolError, match="there is no such model"):
        QwenBackend().check(replace(job, base=str(tmp_path / "gone")))
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_text((tiny / "config.json").read_text())
    (pickled / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ToolError, match="are no safetensors"):
        QwenBackend().check(replace(job, base=str(pickled)))


def test_groups_that_the_model_does_not_have_are_refused(make_job: MakeJob, tmp_path: Path) -> None:
    deep = {"llm_top": {**GROUPS["llm_top"], "top_layers": 12}}
    job = make_job(
        tmp_path, model={"groups": deep}, stages=[{"from_epoch": 1, "train": ["llm_top"]}]
    )
    with pytest.raises(UsageError, match="takes 12 layers of the part language, which has 2"):
        train(job)
    both = {**GROUPS, "language": {"part": "language", "parameters": 1}}
    job = make_job(
        tmp_path,
        model={"groups": both},
        stages=[{"from_epoch": 1, "train": ["language", "llm_top"]}],
    )
    with pytest.raises(UsageError, match="train in one stage and share"):
        train(job)


def test_a_head_of_its_own_trains_apart_from_the_embeddings(
    make_job: MakeJob, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    from asrdq.training.qwen.tiny import tiny_qwen

    base = tiny_qwen(["zero one"], tmp_path / "base", tied=False)
    job = make_job(
        tmp_path,
        base=base,
        steps=2,
        validation=(),
        model={"groups": GROUPS},
        stages=[{"from_epoch": 1, "train": ["lm_head"]}],
    )
    trained = train(job)
    before = load_file(base / "model.safetensors")
    after = load_file(Path(str(trained.model)) / "model.safetensors")
    changed = [name for name in before if not before[name].equal(after[name])]
    assert changed == ["thinker.lm_head.weight"]


def test_a_rehearsal_trains_a_stand_in_that_fits_the_stages(
    make_job: MakeJob, tmp_path: Path
) -> None:
    groups = {"llm_top": {**GROUPS["llm_top"], "top_layers": 3}}
    job = make_job(
        tmp_path,
        steps=1,
        validation=(),
        model={"groups": groups},
        stages=[{"from_epoch": 1, "train": ["llm_top"]}],
    )
    backend = QwenBackend()
    small = replace(job, rehearsal=True, base=str(backend.stand_in(job, job.run_dir)))
    trained = train(small)
    assert (trained.steps, trained.model) == (1, None)
