"""The gate: a policy, the evidence it asks for, one verdict, and who answers for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.gates.decision import Verdict
    from asrdq.gates.formats.github import step_summary, workflow_commands
    from asrdq.gates.formats.junit import junit_xml
    from asrdq.gates.formats.sarif import sarif_log
    from asrdq.gates.gate import evaluate_gate, withdraw_reports
    from asrdq.gates.ledgers.signing import find_signer, read_public_key, write_new_key
    from asrdq.gates.ledgers.waivers import Waiver, list_waivers, waive
    from asrdq.gates.linting import lint_policies
    from asrdq.gates.policy import Policy, policy_schema, read_policy
    from asrdq.gates.signoffs.signoff import SignoffResult, sign_off
    from asrdq.gates.signoffs.verification import verify
    from asrdq.gates.signoffs.verify_result import VerifyResult
    from asrdq.gates.verdict import GateResult

__all__ = [
    "GateResult",
    "Policy",
    "SignoffResult",
    "Verdict",
    "VerifyResult",
    "Waiver",
    "evaluate_gate",
    "find_signer",
    "junit_xml",
    "lint_policies",
    "list_waivers",
    "policy_schema",
    "read_policy",
    "read_public_key",
    "sarif_log",
    "sign_off",
    "step_summary",
    "verify",
    "waive",
    "withdraw_reports",
    "workflow_commands",
    "write_new_key",
]

__getattr__ = lazy_names(
    __name__,
    {
        "decision": ["Verdict"],
        "gate": ["evaluate_gate", "withdraw_reports"],
        "formats.github": ["step_summary", "workflow_commands"],
        "formats.junit": ["junit_xml"],
        "linting": ["lint_policies"],
        "policy": ["Policy", "policy_schema", "read_policy"],
        "formats.sarif": ["sarif_log"],
        "ledgers.signing": ["find_signer", "read_public_key", "write_new_key"],
        "signoffs.signoff": ["SignoffResult", "sign_off"],
        "verdict": ["GateResult"],
        "signoffs.verification": ["verify"],
        "signoffs.verify_result": ["VerifyResult"],
        "ledgers.waivers": ["Waiver", "list_waivers", "waive"],
    },
)
