"""The alignment audit: does the audio hold what the transcripts say, and how sure is that?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.audit.faults import GROSS, PLANTED, Fault
    from asrdq.audit.plan import AuditPlan
    from asrdq.audit.reasons import Reason
    from asrdq.audit.result import AuditResult
    from asrdq.audit.run import audit

__all__ = [
    "GROSS",
    "PLANTED",
    "AuditPlan",
    "AuditResult",
    "Fault",
    "Reason",
    "audit",
]

__getattr__ = lazy_names(
    __name__,
    {
        "faults": ["GROSS", "PLANTED", "Fault"],
        "plan": ["AuditPlan"],
        "reasons": ["Reason"],
        "result": ["AuditResult"],
        "run": ["audit"],
    },
)
