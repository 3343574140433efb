"""What a policy demands besides the audit, a module a family, each judged on its evidence."""

from __future__ import annotations

from asrdq.gates.demands import age, amount, criteria, leaks, scores, suites
from asrdq.gates.demands.judged import Asked, Judged, judge

FAMILIES = (amount, suites, leaks, scores, criteria)
"""Modules with a function `demands`, in the order in which rules are shown."""


def judge_demands(asked: Asked) -> tuple[Judged, ...]:
    """Return every demand of a policy besides the audit, judged on the evidence there is.

    Args:
        asked: Workspace, manifest, policy and audit.

    Raises:
        S3Error: The server cannot be reached.
    """
    judged = [judge(demand) for family in FAMILIES for demand in family.demands(asked)]
    return (*judged, *(judge(demand) for demand in age.demands(asked, judged)))
