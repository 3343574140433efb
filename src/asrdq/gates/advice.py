"""Commands that mend what forbids a verdict, complete, so that they run as they stand."""

from __future__ import annotations

import math
import shlex

from asrdq.gates.evidence import Evidence

_MARGIN = 1.25
"""More clips than the least, since some of them will be unusable too."""


def larger_sample(evidence: Evidence, have: int, needed: int) -> str | None:
    """Return the command that draws a sample large enough, None where there is no larger one.

    Args:
        evidence: The audit, of a sample that was too small.
        have: What that sample gave of something.
        needed: What is needed of it.
    """
    audited, rows = len(evidence.clips), evidence.manifest.rows
    if audited >= rows:
        return None
    wanted = rows if have == 0 else math.ceil(_MARGIN * audited * needed / have)
    return sample_command(evidence, min(rows, wanted))


def sample_command(evidence: Evidence, rows: int, allocation: str | None = None) -> str:
    """Return the command that draws so many clips from the same strata.

    Strata that rules make stand in `asrdq.yaml`, and the command finds them there.

    Args:
        evidence: The audit, with the plan of its sample.
        rows: How many clips.
        allocation: Another allocation than the plan's.
    """
    words = ["asrdq", "sample", evidence.manifest.name]
    plan = evidence.plan
    if plan is not None and plan.strata is not None and not plan.rules():
        columns = [plan.strata] if isinstance(plan.strata, str) else map(str, plan.strata)
        words += ["--strata", ",".join(columns)]
        words += ["--allocation", allocation or plan.allocation]
    elif allocation:
        words += ["--allocation", allocation]
    if plan is not None and plan.shares and not allocation:
        for name, share in plan.shares.items():
            words += ["--share", f"{name}={share:g}"]
    return shlex.join([*words, "--rows", str(rows)])
