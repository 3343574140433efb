"""The gate: a policy, the evidence it asks for, and one verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.gates.decision import Verdict
    from asrdq.gates.gate import evaluate_gate, withdraw_reports
    from asrdq.gates.policy import Policy, read_policy
    from asrdq.gates.verdict import GateResult

__all__ = [
    "GateResult",
    "Policy",
    "Verdict",
    "evaluate_gate",
    "read_policy",
    "withdraw_reports",
]

__getattr__ = lazy_names(
    __name__,
    {
        "decision": ["Verdict"],
        "gate": ["evaluate_gate", "withdraw_reports"],
        "policy": ["Policy", "read_policy"],
        "verdict": ["GateResult"],
    },
)
