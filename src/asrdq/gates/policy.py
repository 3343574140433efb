"""A gate policy: what must hold before training, read strictly from YAML."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any, Literal

from pydantic import Field, model_validator

from asrdq.gates.policy_sections import (
    AmountRules,
    AuditRules,
    CriteriaRules,
    FreshnessRules,
    HandoffRules,
    InstrumentRules,
    LeakRules,
    ScoreRules,
    Section,
    SuiteRules,
)
from asrdq.places import Place
from asrdq.strict_yaml import read_yaml_model


class Policy(Section):
    """Everything a policy file may say; what it does not name is not asked for."""

    version: Literal[1] = 1
    """The version of this format."""
    audit: AuditRules = AuditRules()
    """The share of clips of low quality."""
    instrument: InstrumentRules = InstrumentRules()
    """Whether the audit can be trusted to see what is wrong."""
    suites: tuple[SuiteRules, ...] = ()
    """Suites of expectations that the manifest must keep."""
    leaks: LeakRules | None = None
    """What evaluation manifests may share with it."""
    scores: tuple[ScoreRules, ...] = ()
    """Error rates that a model must keep."""
    amount: AmountRules = AmountRules()
    """Hours and rows."""
    freshness: FreshnessRules = FreshnessRules()
    """How old evidence may be."""
    criteria: CriteriaRules | None = Field(default=None)
    """Success criteria of a round."""
    handoff: HandoffRules = HandoffRules()
    """What a hand-off to a trainer asks for besides the verdict."""

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        suites = [rules.suite for rules in self.suites]
        scores = [name for rules in self.scores for name in rules.names()]
        for section, names in (("suites", suites), ("scores", scores)):
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise ValueError(f"{section}: {', '.join(twice)} stands twice")
        asked = {
            "check_days": bool(self.suites),
            "leaks_days": self.leaks is not None,
            "scores_days": bool(self.scores or self.criteria),
        }
        for key, there in asked.items():
            if getattr(self.freshness, key) is not None and not there:
                section = {"check_days": "suites", "leaks_days": "leaks"}.get(key, "scores")
                raise ValueError(f"freshness.{key} is about nothing: there is no {section}")
        return self


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


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of policy files.

    Limits that have to stand in an order, and names that have to exist, are beyond it:
    `lint_policies` finds those.
    """
    schema = Policy.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "asrdq gate policy",
    }
