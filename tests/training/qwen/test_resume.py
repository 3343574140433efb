"""A run that is killed goes on as if nothing had happened."""

from __future__ import annotations

import csv
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.training.qwen.conftest import MakeJob, staged_job, train

if TYPE_CHECKING:
    from asrdq.training import TrainingJob

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def logged(job: TrainingJob) -> list[tuple[str, ...]]:
    names = ("step", "train_loss", "grad_norm", "learning_rate_projector", "val_loss", "val_wer")
    with (job.run_dir / "metrics.csv").open() as file:
        return [tuple(row[name] for name in names) for row in csv.DictReader(file)]


def test_after_kill_9_the_run_ends_with_the_same_weights_moments_and_log(
    undisturbed: TrainingJob, make_job: MakeJob, tmp_path: Path
) -> None:
    import torch

    job = staged_job(make_job, tmp_path / "job")
    pickled = tmp_path / "job.pickle"
    pickled.write_bytes(pickle.dumps(job))
    script = Path(__file__).with_name("killed.py")
    done = subprocess.run([sys.executable, str(script), str(pickled)], check=False)
    assert done.returncode == -9
    kept = job.run_dir / "checkpoints"
    assert sorted(folder.name for folder in kept.iterdir()) == ["checkpoint-4", "checkpoint-6"]
    half = kept / "checkpoint-7"  # what a kill in the middle of saving leaves
    half.mkdir()
    (half / "trainer_state.json").write_text("{")
    trained = train(job)
    assert (trained.resumed_from, trained.steps, trained.stopped_by) == (6, 8, None)
    last, other = (each.run_dir / "checkpoints" / "checkpoint-8" for each in (job, undisturbed))
    assert (last / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    assert _same(*(torch.load(each / "optimizer.pt", weights_only=True) for each in (last, other)))
    assert logged(job) == logged(undisturbed)


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    return left.equal(right) if hasattr(left, "equal") else bool(left == right)


def test_a_finished_run_makes_no_further_step(undisturbed: TrainingJob) -> None:
    before = (undisturbed.run_dir / "checkpoints" / "checkpoint-8" / "asrdq.json").stat().st_mtime
    again = train(undisturbed)
    assert (again.resumed_from, again.steps) == (8, 8)
    folder = undisturbed.run_dir / "checkpoints" / "checkpoint-8"
    assert (folder / "asrdq.json").stat().st_mtime == before
