"""Audited data handed to a trainer: what has to hold first, the bundle, and its verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.handoff.asked import Asked
    from asrdq.handoff.handing import hand_off
    from asrdq.handoff.refusals import REASONS, Refusal, RefusedError
    from asrdq.handoff.result import HandoffResult
    from asrdq.handoff.standalone import NothingToVerifyError, Verification, verify_bundle

__all__ = [
    "REASONS",
    "Asked",
    "HandoffResult",
    "NothingToVerifyError",
    "Refusal",
    "RefusedError",
    "Verification",
    "hand_off",
    "verify_bundle",
]

__getattr__ = lazy_names(
    __name__,
    {
        "asked": ["Asked"],
        "handing": ["hand_off"],
        "refusals": ["REASONS", "Refusal", "RefusedError"],
        "result": ["HandoffResult"],
        "standalone": ["NothingToVerifyError", "Verification", "verify_bundle"],
    },
)
