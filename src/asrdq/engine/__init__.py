"""Run a function over many items in processes that may crash: see `run_tasks`."""

from asrdq.engine.local import run_tasks
from asrdq.engine.outcome import Failure, FailureKind, Outcome

__all__ = ["Failure", "FailureKind", "Outcome", "run_tasks"]
