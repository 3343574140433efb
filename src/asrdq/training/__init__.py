"""Training on exactly what was handed off: one protocol, a backend for each trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob
    from asrdq.training.protocol import LoaderCounts, Trained, TrainingBackend
    from asrdq.training.run_writer import RunWriter

__all__ = ["LoaderCounts", "RunWriter", "Trained", "TrainingBackend", "TrainingJob"]

__getattr__ = lazy_names(
    __name__,
    {
        "job": ["TrainingJob"],
        "protocol": ["LoaderCounts", "Trained", "TrainingBackend"],
        "run_writer": ["RunWriter"],
    },
)
