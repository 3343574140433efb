"""What a round of a cycle came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pyarrow as pa

from asrdq.results import Result

STAGES = pa.schema(
    [
        ("stage", pa.string()),
        ("state", pa.string()),
        ("seconds", pa.float64()),
        ("told", pa.string()),
    ]
)
"""One row a stage: `done` now, `found` where it was done before, `stopped`."""


@dataclass(frozen=True)
class CycleResult(Result):
    """A round of a cycle, to its decision or to where the training was stopped.

    Attributes:
        cycle: Name of the cycle.
        round: Number of the round.
        folder: Where its bundle and its run lie.
        bundle_id: The id of its bundle.
        evaluation: What both models were measured on, as `eval@3`.
        before: Hypotheses of the model before.
        after: Hypotheses of the adapted model.
        model: The adapted model; None where the training was stopped.
        metric: The rate that decides; empty where nothing was compared, as all that follows.
        before_rate: That rate of the model before.
        after_rate: That of the adapted model.
        low: Lower limit of the 95 % interval of the change.
        high: Upper limit.
        verdict: KEEP, GROW, OVERFIT, STOP or UNDECIDED.
        reasons: Why.
        go: GO or NO_GO by the criteria file, where there is one.
        route: What the leaderboard of the adapted model asks for.
        advice: What to do next, a sentence each.
        next_command: The command to begin with.
        exit_code: That of the comparison, or of the training that was stopped.
        stages: One row a stage, schema `STAGES`.
    """

    main_table: ClassVar[str] = "stages"

    cycle: str
    round: int
    folder: str
    bundle_id: str
    evaluation: str
    before: str
    after: str
    model: str | None
    metric: str
    before_rate: float | None
    after_rate: float | None
    low: float | None
    high: float | None
    verdict: str
    reasons: tuple[str, ...]
    go: str | None
    route: str
    advice: tuple[str, ...]
    next_command: str
    exit_code: int
    stages: pa.Table = field(repr=False)

    def summary(self) -> str:
        """Return the round, its stages, its decision, and the advice."""
        lines = [f"round {self.round} of {self.cycle}: {self.before} → {self.after}"]
        lines += [
            f"  {row['stage']:<18} {row['state']:<8} {row['seconds']:8,.1f} s  {row['told']}"
            for row in self.stages.to_pylist()
        ]
        if self.before_rate is not None and self.after_rate is not None:
            change = f"{100 * self.before_rate:.2f} % → {100 * self.after_rate:.2f} %"
            limits = ""
            if self.low is not None and self.high is not None:
                limits = f", change {100 * self.low:+.2f} … {100 * self.high:+.2f} points"
            lines.append(f"{self.metric.upper()} on {self.evaluation}: {change}{limits}")
        if self.verdict:
            lines.append(self.verdict + (f", {self.go}" if self.go else ""))
        lines += [f"  {reason}" for reason in self.reasons]
        lines += [f"  next: {sentence}" for sentence in self.advice]
        return "\n".join(lines)
