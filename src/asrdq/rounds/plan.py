"""What two rounds are compared by, and what decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from asrdq.errors import UsageError, unknown
from asrdq.rounds.criteria import Criteria
from asrdq.rounds.decision import Rules
from asrdq.rounds.guards import MARGIN
from asrdq.rounds.paired import REPLICATES
from asrdq.rounds.pairing import METRICS, Ids
from asrdq.rounds.scope import Scope, scope_text

LEAST_REPLICATES = 1_000


@dataclass(frozen=True, slots=True)
class ComparePlan:
    """What two rounds are compared by, and what decides.

    Attributes:
        by: Columns of the manifest to group by; durations always are a grouping.
        metric: The metric that decides.
        target: The rows that the round was for; all by default.
        guards: Sets of rows that may not get worse, each with its columns and values.
        guard_each: Columns; the rows of each of their values are a guard set.
        guard_metric: The metric of the guard sets.
        margin: By how much the rate of a guard set may rise: 0.01 is one point.
        criteria: Success criteria.
        train: The training manifest, to know rows and terms that the model was trained on; the
            held-out rows decide then.
        ids: `strict`: both rounds have the same utterances; `common`: those that both have.
        rules: Limits of the decision.
        replicates: Bootstrap replicates.
        seed: Seed of the resampling.
    """

    by: Sequence[str] = ()
    metric: str = "ker"
    target: Scope = field(default_factory=dict)
    guards: Sequence[Scope] = ()
    guard_each: Sequence[str] = ()
    guard_metric: str = "wer"
    margin: float = MARGIN
    criteria: Criteria | None = None
    train: str | None = None
    ids: Ids = "strict"
    rules: Rules = field(default_factory=Rules)
    replicates: int = REPLICATES
    seed: int = 0

    def __post_init__(self) -> None:
        for metric in (self.metric, self.guard_metric):
            if metric not in METRICS:
                raise unknown("metric", metric, METRICS)
        if self.ids not in ("strict", "common"):
            raise unknown("treatment of ids", self.ids, ("strict", "common"))
        if self.margin < 0:
            raise UsageError(f"a margin is not negative, {self.margin:g} is")
        if self.replicates < LEAST_REPLICATES:
            raise UsageError(
                f"{self.replicates} replicates are fewer than {LEAST_REPLICATES:,}",
                hint="the limits of an interval are quantiles: 10,000 are the default",
            )

    def columns(self) -> list[str]:
        """Return every column that somebody asked for, once each."""
        scopes = [self.target, *self.guards]
        names = [*self.by, *self.guard_each]
        names += [column for scope in scopes for column in scope]
        if self.criteria is not None:
            for _, criterion in self.criteria.lines():
                names += [*criterion.scope, *filter(None, (criterion.macro, criterion.each))]
        return list(dict.fromkeys(names))

    def parameters(self) -> dict[str, Any]:
        """Return the plan as JSON types, for the record of the run."""
        return {
            "by": list(self.by),
            "metric": self.metric,
            "target": scope_text(self.target),
            "guards": [scope_text(guard) for guard in self.guards],
            "guard_each": list(self.guard_each),
            "guard_metric": self.guard_metric,
            "margin": self.margin,
            "criteria": None if self.criteria is None else self.criteria.model_dump(mode="json"),
            "train": self.train,
            "ids": self.ids,
            "keep": self.rules.keep,
            "stop": self.rules.stop,
            "replicates": self.replicates,
            "seed": self.seed,
        }
