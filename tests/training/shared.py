"""Trains a job as one of the processes that torchrun starts; each finds the model whole."""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path

from asrdq.training import RunWriter, load_backend

job = replace(pickle.loads(Path(sys.argv[1]).read_bytes()), rank=int(os.environ["RANK"]))
with RunWriter(job) as writer:
    trained = load_backend(job.backend).train(job, writer)
if trained.model is not None and not trained.model.exists():
    sys.exit(f"rank {job.rank}: {trained.model}: not there when training ended")
