"""What to draw: strata, allocation, size and seed of a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from asrdq.errors import UsageError
from asrdq.sampling.allocation import Method
from asrdq.sampling.strata import Strata
from asrdq.settings import SamplingSettings, StratumRule


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """How a sample is drawn; of fraction, rows and hours exactly one is given.

    Args:
        strata: A column, several, ordered rules, or None for no strata.
        allocation: `proportional`, `equal`, `shares`, or `neyman` by the rates of the latest
            audit of the manifest.
        fraction: Share of the rows of the manifest, above 0 to 1.
        rows: Number of clips.
        hours: Hours of audio, met on average.
        seed: Seed of the draw.
        shares: Stratum to share, for `shares`; from the rules where it is not given.
        at_least_rows: Least number of clips of each stratum, or all that it has.
    """

    strata: Strata = None
    allocation: Method = "proportional"
    fraction: float | None = None
    rows: int | None = None
    hours: float | None = None
    seed: int = 42
    shares: Mapping[str, float] | None = None
    at_least_rows: int = 0

    def __post_init__(self) -> None:
        sizes = [size for size in (self.fraction, self.rows, self.hours) if size is not None]
        if len(sizes) != 1:
            raise UsageError("say one of fraction, rows and hours")
        if not 0 < sizes[0] < math.inf or (self.fraction or 0) > 1:
            raise UsageError(f"a sample of {sizes[0]:g} cannot be drawn")

    @classmethod
    def from_settings(cls, settings: SamplingSettings) -> SamplingPlan:
        """Return the plan that `asrdq.yaml` describes."""
        return cls(
            strata=settings.strata,
            allocation=settings.allocation,
            fraction=settings.fraction,
            seed=settings.seed,
        )

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> SamplingPlan:
        """Return the plan that `parameters()` gave."""
        strata = parameters["strata"]
        if isinstance(strata, list):
            strata = [s if isinstance(s, str) else StratumRule(**s) for s in strata]
        known = {field.name: parameters[field.name] for field in fields(cls)}
        return cls(**{**known, "strata": strata})

    def parameters(self) -> dict[str, Any]:
        """Return the plan as JSON types, as a run keeps it."""
        strata: Any = self.strata
        if strata is not None and not isinstance(strata, str):
            strata = [s.model_dump() if isinstance(s, StratumRule) else s for s in strata]
        return {**{f.name: getattr(self, f.name) for f in fields(self)}, "strata": strata}

    def rules(self) -> list[StratumRule]:
        """Return the rules that make the strata; none where columns do."""
        rules = [] if self.strata is None or isinstance(self.strata, str) else self.strata
        return [rule for rule in rules if isinstance(rule, StratumRule)]

    def rule_shares(self) -> dict[str, float]:
        """Return the shares by stratum, from the plan or else from its rules."""
        if self.shares is not None:
            return dict(self.shares)
        return {rule.name: rule.share for rule in self.rules() if rule.share is not None}
