"""Run a function over many items in processes that may crash: see `run_tasks`."""

from asrdq.engine.local import LocalEngine, run_tasks
from asrdq.engine.outcome import Engine, Failure, FailureKind, Outcome

__all__ = ["Engine", "Failure", "FailureKind", "LocalEngine", "Outcome", "run_tasks"]
