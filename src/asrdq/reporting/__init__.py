"""The report: one self-contained HTML page with the evidence behind a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.reporting.report import write_report
    from asrdq.reporting.result import ReportResult
    from asrdq.reporting.training import write_runs_page
    from asrdq.reporting.unaudited import write_leaderboard

__all__ = [
    "ReportResult",
    "write_leaderboard",
    "write_report",
    "write_runs_page",
]

__getattr__ = lazy_names(
    __name__,
    {
        "report": ["write_report"],
        "result": ["ReportResult"],
        "training": ["write_runs_page"],
        "unaudited": ["write_leaderboard"],
    },
)
