"""Training runs: their logs as tables, rules that call a person, checkpoints to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.monitoring.checkpoints import CheckpointsResult, choose_checkpoints
    from asrdq.monitoring.figures import audit_figures, log_figures
    from asrdq.monitoring.findings import Evidence, Finding, Level, Outcome
    from asrdq.monitoring.result import RunReport, WatchResult
    from asrdq.monitoring.rollback import RollbackPlan
    from asrdq.monitoring.watching import WatchPlan, follow, watch, write_stop_file

__all__ = [
    "CheckpointsResult",
    "Evidence",
    "Finding",
    "Level",
    "Outcome",
    "RollbackPlan",
    "RunReport",
    "WatchPlan",
    "WatchResult",
    "audit_figures",
    "choose_checkpoints",
    "follow",
    "log_figures",
    "watch",
    "write_stop_file",
]

__getattr__ = lazy_names(
    __name__,
    {
        "checkpoints": ["CheckpointsResult", "choose_checkpoints"],
        "figures": ["audit_figures", "log_figures"],
        "findings": ["Evidence", "Finding", "Level", "Outcome"],
        "result": ["RunReport", "WatchResult"],
        "rollback": ["RollbackPlan"],
        "watching": ["WatchPlan", "follow", "watch", "write_stop_file"],
    },
)
