"""Trains a staged job and is killed at the seventh step, as if somebody pulled the plug."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from pathlib import Path
from typing import Any

from asrdq.training import RunWriter
from asrdq.training.qwen.backend import QwenBackend


class Killed(RunWriter):
    def log(self, step: int, values: Any, *, epoch: float | None = None) -> None:
        if step == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        super().log(step, values, epoch=epoch)


job = pickle.loads(Path(sys.argv[1]).read_bytes())
with Killed(job) as writer:
    QwenBackend().train(job, writer)
