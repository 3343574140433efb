"""What a rule finds, and the registry of the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asrdq.monitoring.series import Curve, Curves
    from asrdq.watch_settings import WatchSettings


class Level(StrEnum):
    """How much a finding asks for."""

    STOP = "stop"
    WARNING = "warning"
    NOTE = "note"


class Outcome(StrEnum):
    """What became of a rule: a run that logs nothing of a matter is not sound in it."""

    FIRED = "fired"
    SILENT = "silent"
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A logged value that a finding rests on."""

    split: str
    metric: str
    step: int
    value: float

    def __str__(self) -> str:
        return f"{self.split} {self.metric} {self.value:.4g} at step {self.step:,}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found in a run.

    Attributes:
        run: The run.
        rule: Id of the rule.
        level: What it asks for.
        step: At which step it could first be told.
        message: What was found.
        reason: What that means.
        advice: What to do about it.
        evidence: The values it rests on.
    """

    run: str
    rule: str
    level: Level
    step: int
    message: str
    reason: str
    advice: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Fired:
    """What a rule gives: a finding that does not know yet whose it is."""

    step: int
    message: str
    evidence: tuple[Evidence, ...]
    level: Level | None = None


Check = Callable[["Curves", "WatchSettings"], "list[Fired] | None"]
"""Gives what is wrong, an empty list where nothing is, None where the logs do not say."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of docs/watch.md.

    Attributes:
        id: Its name.
        needs: What has to be in the logs for it.
        reason: What it means where it fires.
        advice: What to do then.
        check: What decides.
    """

    id: str
    needs: str
    reason: str
    advice: str
    check: Check


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What became of a rule on a run."""

    run: str
    rule: str
    outcome: Outcome
    needs: str


RULES: Final[dict[str, Rule]] = {}


def rule(id: str, *, needs: str, reason: str, advice: str) -> Callable[[Check], Check]:
    """Enter a function into the registry as a rule."""

    def enter(check: Check) -> Check:
        RULES[id] = Rule(id, needs, reason, advice, check)
        return check

    return enter


def evidence(curve: Curve, *places: int) -> tuple[Evidence, ...]:
    """Return values of a curve as evidence."""
    return tuple(
        Evidence(curve.split, curve.metric, int(curve.steps[at]), float(curve.values[at]))
        for at in places
    )
