"""The alignment audit: does the audio hold what the transcripts say, and how sure is that?"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asrdq.audit.faults import GROSS, PLANTED, Fault
    from asrdq.audit.reasons import Reason
    from asrdq.audit.result import AuditResult
    from asrdq.audit.run import AuditPlan, audit

_HOMES = {
    "GROSS": "faults",
    "PLANTED": "faults",
    "Fault": "faults",
    "Reason": "reasons",
    "AuditResult": "result",
    "AuditPlan": "run",
    "audit": "run",
}

__all__ = ["GROSS", "PLANTED", "AuditPlan", "AuditResult", "Fault", "Reason", "audit"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
