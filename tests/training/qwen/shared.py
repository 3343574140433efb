"""Trains a job as one of the processes that torchrun starts."""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path

from asrdq.training import RunWriter
from asrdq.training.qwen.backend import QwenBackend

job = replace(pickle.loads(Path(sys.argv[1]).read_bytes()), rank=int(os.environ["RANK"]))
with RunWriter(job) as writer:
    QwenBackend().train(job, writer)
