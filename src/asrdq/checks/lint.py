"""Suites as files: what is wrong in them, and which there are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from asrdq.checks.suites import FOLDER, Suite, read_suite_file, suite_names
from asrdq.errors import Problem, UsageError, counted
from asrdq.places import Place, within
from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import Workspace


def lint_suites(files: Iterable[Place]) -> list[Suite]:
    """Read suites as a check does, and return them.

    Raises:
        UsageError: Some cannot be run as their files say; the problems of all are listed.
        ToolError: Great Expectations is not installed.
    """
    sound: list[Suite] = []
    problems: list[Problem] = []
    for file in files:
        try:
            sound.append(read_suite_file(file))
        except UsageError as error:
            problems += error.problems or [_whole(error, file)]
    if problems:
        raise UsageError(f"{counted(len(problems), 'problem')} in suites", problems=problems)
    return sound


def _whole(error: UsageError, file: Place) -> Problem:
    """Return an error about a file as a problem; `where` has the line if there is one."""
    line = (error.where or "").removeprefix(f"{file}:")
    hint = f" ({error.hint})" if error.hint else ""
    return Problem(f"{error.message}{hint}", str(file), int(line) if line.isdecimal() else None)


@dataclass(frozen=True)
class SuiteList(Result):
    """The suites there are.

    Attributes:
        suites: One row a suite: name, `from` (workspace or asrdq), number of expectations (null
            where the file cannot be read as one) and file.
    """

    main_table: ClassVar[str] = "suites"

    suites: pa.Table = field(repr=False)

    def summary(self) -> str:
        """Return the names."""
        return ", ".join(self.suites["name"].to_pylist())


def list_suites(workspace: Workspace) -> SuiteList:
    """Return the suites of a workspace and those that come along, in alphabetical order."""
    import pyarrow as pa

    rows = [
        {
            "name": name,
            "from": "workspace" if within(file, workspace.root / FOLDER) else "asrdq",
            "expectations": _count(file),
            "file": str(file),
        }
        for name, file in sorted(suite_names(workspace).items())
    ]
    texts = [(name, pa.string()) for name in ("name", "from")]
    schema = pa.schema([*texts, ("expectations", pa.int64()), ("file", pa.string())])
    return SuiteList(pa.Table.from_pylist(rows, schema))


def _count(file: Place) -> int | None:
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    listed = document.get("expectations") if isinstance(document, dict) else None
    return len(listed) if isinstance(listed, list) else None
