"""All rules of the lint."""

from __future__ import annotations

import asrdq.linting.rules  # noqa: F401  its modules register them
from asrdq.errors import unknown
from asrdq.linting.registry import RULES, Rule


def every_rule() -> dict[str, Rule]:
    """Return all rules by id, in alphabetical order."""
    return dict(sorted(RULES.items()))


def find_rule(id: str) -> Rule:
    """Return a rule.

    Raises:
        UsageError: There is none of that id; the nearest is named.
    """
    rules = every_rule()
    if id not in rules:
        raise unknown("rule", id, rules)
    return rules[id]
