"""Hold the rules against a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asrdq.errors import unknown
from asrdq.monitoring.findings import RULES, Finding, Fired, Level, Outcome, Rule, RuleOutcome
from asrdq.monitoring.rules import learning, machine, optimiser

if TYPE_CHECKING:
    from asrdq.monitoring.series import Curves
    from asrdq.watch_settings import WatchSettings

_MODULES = (learning, optimiser, machine)
"""Importing them enters their rules into the registry."""


def rule_names() -> list[str]:
    """Return the ids of all rules."""
    return sorted(RULES)


def judge(curves: Curves, settings: WatchSettings) -> tuple[list[Finding], list[RuleOutcome]]:
    """Hold all rules against a run; findings that stop it come first, then by step.

    Raises:
        UsageError: The setting `watch.stop` names a rule that there is not.
    """
    for name in settings.stop:
        if name not in RULES:
            raise unknown("rule", name, RULES, where="asrdq.yaml: watch.stop")
    findings: list[Finding] = []
    outcomes: list[RuleOutcome] = []
    for own in RULES.values():
        fired = own.check(curves, settings)
        outcome = Outcome.NO_DATA if fired is None else Outcome.FIRED if fired else Outcome.SILENT
        outcomes.append(RuleOutcome(curves.run, own.id, outcome, own.needs))
        findings += _findings(own, fired or [], curves.run, own.id in settings.stop)
    order = list(Level)
    findings.sort(key=lambda item: (order.index(item.level), item.step))
    return findings, outcomes


def _findings(own: Rule, fired: list[Fired], run: str, stops: bool) -> Iterator[Finding]:
    for item in fired:
        level = item.level or (Level.STOP if stops else Level.WARNING)
        yield Finding(
            run=run,
            rule=own.id,
            level=level,
            step=item.step,
            message=item.message,
            reason=own.reason,
            advice=own.advice,
            evidence=item.evidence,
        )
