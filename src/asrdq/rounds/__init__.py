"""Two scored rounds compared, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.rounds.compare import compare_rounds
    from asrdq.rounds.criteria import Criteria, read_criteria
    from asrdq.rounds.decision import Decision, Rules, Verdict
    from asrdq.rounds.plan import ComparePlan
    from asrdq.rounds.result import Comparison

__all__ = [
    "ComparePlan",
    "Comparison",
    "Criteria",
    "Decision",
    "Rules",
    "Verdict",
    "compare_rounds",
    "read_criteria",
]

__getattr__ = lazy_names(
    __name__,
    {
        "compare": ["compare_rounds"],
        "criteria": ["Criteria", "read_criteria"],
        "decision": ["Decision", "Rules", "Verdict"],
        "plan": ["ComparePlan"],
        "result": ["Comparison"],
    },
)
