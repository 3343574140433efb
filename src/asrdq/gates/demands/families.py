"""Every family of demands, judged one after another."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from asrdq.gates.demands import age
from asrdq.gates.demands.judged import Asked, Demand, Judged, judge

FAMILIES = ("amount", "suites", "leaks", "scores", "criteria")
"""Sections of a policy in the order in which their rules are shown.

Each has a module of its name here, with a function `demands`; it is loaded where a policy has the
section, for some of them load much.
"""


def judge_demands(asked: Asked) -> tuple[Judged, ...]:
    """Return every demand of a policy besides the audit, judged on the evidence there is.

    Args:
        asked: Workspace, manifest, policy and audit.

    Raises:
        S3Error: The server cannot be reached.
    """
    judged = [judge(demand) for demand in _demands(asked)]
    return (*judged, *(judge(demand) for demand in age.demands(asked, judged)))


def _demands(asked: Asked) -> Iterator[Demand]:
    for section in FAMILIES:
        if getattr(asked.policy, section):
            yield from import_module(f"asrdq.gates.demands.{section}").demands(asked)
