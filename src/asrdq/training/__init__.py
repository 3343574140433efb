"""Training on exactly what was handed off: one protocol, a backend for each trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.training.backends import load_backend
    from asrdq.training.counts import LoaderCounts
    from asrdq.training.job import TrainingJob
    from asrdq.training.plan import TrainPlan
    from asrdq.training.protocol import Trained, TrainingBackend
    from asrdq.training.result import TrainingResult
    from asrdq.training.run_info import RunInfo, read_info
    from asrdq.training.run_writer import RunWriter
    from asrdq.training.running import train

__all__ = [
    "LoaderCounts",
    "RunInfo",
    "RunWriter",
    "TrainPlan",
    "Trained",
    "TrainingBackend",
    "TrainingJob",
    "TrainingResult",
    "load_backend",
    "read_info",
    "train",
]

__getattr__ = lazy_names(
    __name__,
    {
        "backends": ["load_backend"],
        "counts": ["LoaderCounts"],
        "job": ["TrainingJob"],
        "plan": ["TrainPlan"],
        "protocol": ["Trained", "TrainingBackend"],
        "result": ["TrainingResult"],
        "run_info": ["RunInfo", "read_info"],
        "run_writer": ["RunWriter"],
        "running": ["train"],
    },
)
