"""Run a function over many items in processes that may crash: see `run_tasks`."""

from asrdq.engine.cluster import connected
from asrdq.engine.outcome import Failure, FailureKind, Outcome
from asrdq.engine.pieces import commit_in_pieces
from asrdq.engine.running import run_tasks

__all__ = ["Failure", "FailureKind", "Outcome", "commit_in_pieces", "connected", "run_tasks"]
