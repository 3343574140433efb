"""The plan of a training run: rows kept, steps, memory, time, cost and disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.planning.audit_speed import AuditSpeed, measure_speed
    from asrdq.planning.audits import FRACTIONS, AuditCosts, Machines, plan_audit, plan_hours
    from asrdq.planning.hardware import parse_gpus, read_hardware, read_prices
    from asrdq.planning.memory import estimate_memory
    from asrdq.planning.plan import plan_training
    from asrdq.planning.planned import Plan
    from asrdq.planning.slips import find_slips

__all__ = [
    "FRACTIONS",
    "AuditCosts",
    "AuditSpeed",
    "Machines",
    "Plan",
    "estimate_memory",
    "find_slips",
    "measure_speed",
    "parse_gpus",
    "plan_audit",
    "plan_hours",
    "plan_training",
    "read_hardware",
    "read_prices",
]

__getattr__ = lazy_names(
    __name__,
    {
        "audit_speed": ["AuditSpeed", "measure_speed"],
        "audits": ["FRACTIONS", "AuditCosts", "Machines", "plan_audit", "plan_hours"],
        "hardware": ["parse_gpus", "read_hardware", "read_prices"],
        "memory": ["estimate_memory"],
        "plan": ["plan_training"],
        "planned": ["Plan"],
        "slips": ["find_slips"],
    },
)
