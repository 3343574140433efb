"""The report: one self-contained HTML page with the evidence behind a verdict."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asrdq.reporting.report import write_report
    from asrdq.reporting.result import ReportResult

_HOMES = {"ReportResult": "result", "write_report": "report"}

__all__ = ["ReportResult", "write_report"]


def __getattr__(name: str) -> Any:
    """Import a name on first use, so that importing the package costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
