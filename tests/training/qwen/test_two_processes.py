"""Two processes that share each step make the run of one, stages and all."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
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
    pickled = tmp_path / "job.pickle"
    pickled.write_bytes(pickle.dumps(job))
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    script = Path(__file__).with_name("shared.py")
    done = subprocess.run(
        [sys.executable, *launch, str(script), str(pickled)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("the same 8 clips a step, in 1 passes of at most 4 × 2") == 1
    ours, theirs = (
        load_file(each.run_dir / "checkpoints" / "checkpoint-8" / "model.safetensors")
        for each in (job, undisturbed)
    )
    assert max(float((ours[name] - theirs[name]).abs().max()) for name in theirs) < 1e-5
