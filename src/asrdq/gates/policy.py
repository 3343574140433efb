"""A gate policy: what must hold before training, read strictly from YAML."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field, model_validator

from asrdq.places import Place
from asrdq.sampling.estimators import Limit
from asrdq.settings import Share, Strict, read_yaml_model


class AuditRules(Strict):
    """Limits on the rate of low quality; see `policies/default.yaml` for each key."""

    rate: Literal["population", "sample", "corrected"] = "population"
    caution_from: Share = 0.10
    stop_above: Share = 0.15
    stratum_risk: Share = 0.20
    confidence: Annotated[float, Field(ge=0.5, lt=1.0)] | None = 0.95

    def limits(self) -> tuple[Limit, Limit]:
        """Return where CAUTION and STOP begin; both limits belong to CAUTION."""
        return Limit(self.caution_from), Limit(self.stop_above, belongs_below=True)

    @model_validator(mode="after")
    def _limits_in_order(self) -> AuditRules:
        if self.caution_from > self.stop_above:
            raise ValueError(
                f"caution_from {self.caution_from:g} lies above stop_above {self.stop_above:g}"
            )
        return self


class InstrumentRules(Strict):
    """How far the audit itself must be proven; see `policies/default.yaml` for each key."""

    maximum_failures: Share = 0.02
    minimum_recall: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.80
    if_unproven: Literal["undecided", "note"] = "undecided"


class Policy(Strict):
    """Everything a policy file may say."""

    version: Literal[1] = 1
    audit: AuditRules = AuditRules()
    instrument: InstrumentRules = InstrumentRules()


def read_policy(path: Place) -> Policy:
    """Read and check a policy file.

    Raises:
        UsageError: The file is missing or not YAML, or keys or values are wrong; all problems
            are listed with their lines.
    """
    return read_yaml_model(path, Policy)


def policy_hash(policy: Policy) -> str:
    """Return a digest of what a policy says, the same for any layout of its file."""
    return hashlib.sha256(policy.model_dump_json().encode()).hexdigest()
