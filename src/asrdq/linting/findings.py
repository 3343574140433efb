"""What a lint finds: a rule that does not hold, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from asrdq.planning.findings import Level

WORST_FIRST = {level: rank for rank, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the text of a file.

    Attributes:
        start: Where it begins, in characters.
        end: Where what it replaces ends; the same as `start` where it inserts.
        text: What stands there afterwards.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that does not hold.

    Attributes:
        rule: Id of the rule.
        level: How bad it is.
        message: What was found.
        mend: What to do about it.
        key: The setting it is about, as the file calls it.
        file: The file that the setting stands in, or `--override`.
        line: Its line, counted from 1; None where it stands on the command line.
        edit: What `--fix` does about it.
        suppressed: Why a person answers for it; None where nobody does.
    """

    rule: str
    level: Level
    message: str
    mend: str
    key: str | None = None
    file: str | None = None
    line: int | None = None
    edit: Edit | None = None
    suppressed: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else ""
        return f"{place}{self.level} {self.rule}: {self.message}"
