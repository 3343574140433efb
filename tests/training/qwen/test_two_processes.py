"""Two processes that share each step make the run of one, stages and all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.training.processes import train_in_two
from tests.training.qwen.conftest import MakeJob, staged_job

if TYPE_CHECKING:
    from asrdq.training import TrainingJob

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_the_weights_after_both_stages_are_those_of_one_process(
    undisturbed: TrainingJob, make_job: MakeJob, tmp_path: Path
) -> None:
    """One process made two passes of four clips a step, two make one: the effective batch stays."""
    from safetensors.torch import load_file

    job = staged_job(make_job, tmp_path / "job")
    done = train_in_two(job, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("the same 8 clips a step, in 1 passes of at most 4 × 2") == 1
    ours, theirs = (
        load_file(each.run_dir / "checkpoints" / "checkpoint-8" / "model.safetensors")
        for each in (job, undisturbed)
    )
    assert max(float((ours[name] - theirs[name]).abs().max()) for name in theirs) < 1e-5
