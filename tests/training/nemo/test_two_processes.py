"""Two processes that share each step leave one model, whole for both."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from tests.training.nemo.conftest import Rows, make_job
from tests.training.processes import train_in_two

from asrdq.models.nemo import load_nemo
from asrdq.training.nemo.tiny import tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_both_end_when_the_model_is_whole(digits: Rows, tmp_path: Path) -> None:
    """Each hears half of every step; a process that read the model too soon would fail."""
    base = tiny_model("ctc", [row["text"] for row in digits], tmp_path / "base")
    job = make_job(tmp_path, digits, base, steps=4, figures={"val_check_interval": 2})
    done = train_in_two(job, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "MEMBER: 2/2" in done.stderr
    with (job.run_dir / "metrics.csv").open(encoding="utf-8") as file:
        assert [row["step"] for row in csv.DictReader(file) if row["train_loss"]] == list("1234")
    before, after = (
        dict(load_nemo(str(path), torch.device("cpu")).named_parameters())
        for path in (base, job.run_dir / "adapted_model.nemo")
    )
    assert before.keys() == after.keys()
    assert any(not before[name].equal(after[name]) for name in before)
