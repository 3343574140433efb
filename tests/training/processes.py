"""A job that two processes train together, as torchrun starts them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asrdq.training import TrainingJob


def train_in_two(job: TrainingJob, folder: Path) -> subprocess.CompletedProcess[str]:
    """Train a job with two processes that talk through gloo, and return how they ended."""
    pickled = folder / "job.pickle"
    pickled.write_bytes(pickle.dumps(job))
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    script = Path(__file__).with_name("shared.py")
    return subprocess.run(
        [sys.executable, *launch, str(script), str(pickled)],
        capture_output=True,
        text=True,
        check=False,
    )
