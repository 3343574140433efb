"""One expectation of a suite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asrdq.checks.rules import BY, CONTENT, MANIFEST, RULES, Rule

_COLUMNS = ("column", "column_A", "column_B")


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation of a suite.

    Attributes:
        position: Its place in the file, from 1.
        line: The line it begins on.
        name: Its type, `expect_…`.
        severity: `critical` or `warning`.
        arguments: What the file says of it.
        loaded: The expectation as Great Expectations runs it.
    """

    position: int
    line: int
    name: str
    severity: str
    arguments: dict[str, Any]
    loaded: Any

    @property
    def rule(self) -> Rule | None:
        """The rule behind it, if it is one of our own."""
        return RULES.get(self.name)

    @property
    def given(self) -> dict[str, Any]:
        """The parameters of a rule, with the defaults filled in."""
        return (
            {name: getattr(self.loaded, name) for name in self.rule.parameters} if self.rule else {}
        )

    @property
    def about(self) -> list[str]:
        """The columns that it is about; none for the whole table."""
        own = [getattr(self.loaded, name, None) for name in _COLUMNS]
        return [name for name in own if name] + (getattr(self.loaded, "column_list", None) or [])

    @property
    def columns(self) -> list[str]:
        """All columns that it reads; the ones that it is about come first."""
        further = self.rule.columns(self.given) if self.rule else ()
        return list(dict.fromkeys([*self.about, *further]))

    @property
    def other(self) -> str | None:
        """The other manifest that it compares with."""
        found = self.given.get(MANIFEST)
        return None if found is None else str(found)

    @property
    def hears(self) -> bool:
        """Whether it needs what a probe found about the audio."""
        return self.rule is not None and (self.rule.audio or self.given.get(BY) == CONTENT)
