"""What a lint returns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asrdq.errors import ExitCode, counted
from asrdq.linting.findings import WORST_FIRST, Finding
from asrdq.planning.findings import Level
from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class LintResult(Result):
    """What a lint found in one configuration.

    Attributes:
        config: The file or recipe.
        dialect: What it is written for.
        manifest: The training manifest that it was held against.
        validation: The validation manifest.
        found: The findings, the worst first, suppressed ones last.
        undecided: What was asked and could not be answered, each with why.
        notes: What a person should know of how it was read.
    """

    main_table: ClassVar[str] = "findings"

    config: str
    dialect: str
    manifest: str | None
    validation: str | None
    found: tuple[Finding, ...]
    undecided: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def standing(self) -> list[Finding]:
        """The findings that nobody answers for."""
        return [each for each in self.found if each.suppressed is None]

    def arrow(self) -> pa.Table:
        """Return a row a finding."""
        import pyarrow as pa

        texts = ("level", "rule", "file", "key", "message", "mend", "suppressed")
        schema = pa.schema(
            [
                *((name, pa.string()) for name in texts[:3]),
                ("line", pa.int64()),
                *((name, pa.string()) for name in texts[3:]),
                ("fixable", pa.bool_()),
            ]
        )
        rows = [
            {
                **{name: getattr(each, name) for name in texts},
                "level": each.level.value,
                "line": each.line,
                "fixable": each.edit is not None,
            }
            for each in self.found
        ]
        return pa.Table.from_pylist(rows, schema=schema)

    def count(self, level: Level) -> int:
        """Return the number of findings of a level that nobody answers for."""
        return Counter(each.level for each in self.standing)[level]

    def summary(self) -> str:
        """Return how many findings there are, in a line, and what could not be answered."""
        counts = [counted(self.count(level), level) for level in Level]
        quiet = len(self.found) - len(self.standing)
        answered = f", {quiet} suppressed" if quiet else ""
        lines = [f"{self.config} ({self.dialect}): {', '.join(counts)}{answered}"]
        return "\n".join([*lines, *(f"undecided: {told}" for told in self.undecided)])

    def exit_code(self, fail_on: Level = Level.ERROR) -> ExitCode:
        """Return how the command ends.

        Args:
            fail_on: The mildest level that fails.
        """
        if any(WORST_FIRST[each.level] <= WORST_FIRST[fail_on] for each in self.standing):
            return ExitCode.FAILED
        return ExitCode.UNDECIDED if self.undecided else ExitCode.OK
