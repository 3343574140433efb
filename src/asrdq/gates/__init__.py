"""The gate: a policy, the evidence it asks for, and one verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asrdq.gates.decision import Verdict
    from asrdq.gates.gate import evaluate_gate
    from asrdq.gates.policy import Policy, read_policy
    from asrdq.gates.verdict import GateResult

_HOMES = {
    "GateResult": "verdict",
    "Policy": "policy",
    "Verdict": "decision",
    "evaluate_gate": "gate",
    "read_policy": "policy",
}

__all__ = ["GateResult", "Policy", "Verdict", "evaluate_gate", "read_policy"]


def __getattr__(name: str) -> Any:
    """Import a name on first use, so that importing the package costs nothing."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'asrdq.gates' has no attribute '{name}'")
    return getattr(importlib.import_module(f"asrdq.gates.{_HOMES[name]}"), name)
