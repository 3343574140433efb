"""Run a function over many items in processes that may crash: see `run_tasks`."""

from asrdq.engine.local import run_tasks
from asrdq.engine.outcome import Failure, FailureKind, Outcome
from asrdq.engine.pieces import in_pieces

__all__ = ["Failure", "FailureKind", "Outcome", "in_pieces", "run_tasks"]
