"""The rules, as data: id, level, reason, mend, and the function that looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.linting.config import Setting
from asrdq.linting.findings import Edit
from asrdq.planning.findings import Level

if TYPE_CHECKING:
    from asrdq.linting.case import Case


@dataclass(frozen=True, slots=True)
class Found:
    """What the function of a rule gives.

    Attributes:
        message: What is wrong.
        at: The setting it is about.
        mend: What to do about it, where that is more exact than what the rule says.
        level: How bad it is, where that differs from the rule.
        edit: What `--fix` does about it.
    """

    message: str
    at: Setting | None = None
    mend: str | None = None
    level: Level | None = None
    edit: Edit | None = None


Look = Callable[["Case"], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the lint.

    Attributes:
        id: What suppressions call it.
        level: How bad it is when it does not hold.
        reason: What it costs.
        mend: What to do about it.
        fixes: Whether `--fix` can do it.
        needs: Options of the command that it needs.
        helps: Options that let it see more.
        look: Gives what breaks it; None for rules that the readers of configurations look at.
    """

    id: str
    level: Level
    reason: str
    mend: str
    fixes: bool
    needs: tuple[str, ...]
    helps: tuple[str, ...]
    look: Look | None


MANIFEST, VALIDATION, GPUS, WHERE = "--manifest", "--val", "--gpus", "--map"
"""Options that bring in what rules need."""

RULES: dict[str, Rule] = {}
"""The rules that have been registered so far."""


def rule(
    id: str,
    level: Level,
    *,
    reason: str,
    mend: str,
    fixes: bool = False,
    needs: tuple[str, ...] = (),
    helps: tuple[str, ...] = (),
) -> Callable[[Look], Look]:
    """Register the function below as a rule; the arguments are those of `Rule`."""

    def register(look: Look) -> Look:
        _add(Rule(id, level, reason, mend, fixes, needs, helps, look))
        return look

    return register


def reader_rule(id: str, level: Level, *, reason: str, mend: str) -> None:
    """Register a rule that the readers of configurations look at; they name it in a `Fault`."""
    _add(Rule(id, level, reason, mend, False, (), (), None))


def _add(made: Rule) -> None:
    assert made.id not in RULES, made.id
    RULES[made.id] = made
