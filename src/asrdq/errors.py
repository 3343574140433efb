"""Errors a user can cause, each with what was wrong, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command, the same in every output format."""

    OK = 0
    FAILED = 1
    USAGE = 2
    TOOL = 3
    UNDECIDED = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file, with the line it stands on where that is known."""

    message: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        if self.file is None:
            return self.message
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"


class AsrdqError(Exception):
    """Base of every error that reaches a user without a traceback.

    Args:
        message: What is wrong, in one sentence.
        where: File (and line) the message is about.
        hint: What to do about it: the nearest valid choice or a command to run.
        problems: All single problems, where one file has several.
    """

    exit_code: ExitCode = ExitCode.TOOL

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        self.message = message
        self.where = where
        self.hint = hint
        self.problems = tuple(problems)
        super().__init__(str(self))

    def __str__(self) -> str:
        head = self.message if self.where is None else f"{self.where}: {self.message}"
        lines = [head, *(f"  {problem}" for problem in self.problems)]
        if self.hint:
            lines.append(f"→ {self.hint}")
        return "\n".join(lines)


class DataError(AsrdqError):
    """The data failed: too many rejected lines, an empty manifest, a gate that stops."""

    exit_code = ExitCode.FAILED


class UsageError(AsrdqError):
    """A wrong argument, name, path or setting."""

    exit_code = ExitCode.USAGE


class ToolError(AsrdqError):
    """A tool, file or service that asrdq needs failed."""

    exit_code = ExitCode.TOOL


class UndecidedError(AsrdqError):
    """There is no evidence to answer with, or not enough of it."""

    exit_code = ExitCode.UNDECIDED


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that `word` was most likely meant to be, or None.

    >>> nearest("fracton", ["fraction", "seed"])
    'fraction'
    """
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return found[0] if found else None


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, whose plural ends in s.

    >>> counted(1, "file"), counted(2000, "file")
    ('1 file', '2,000 files')
    """
    return f"{number:,} {noun}{'s' * (number != 1)}"


def first_few(names: Sequence[str], most: int, separator: str = ", ") -> str:
    """Return the first names in a line, with an ellipsis where there are more of them.

    >>> first_few(["a", "b"], 2), first_few(["a", "b", "c"], 2)
    ('a, b', 'a, b, …')
    """
    more = ["…"] if len(names) > most else []
    return separator.join([*names[:most], *more])


def unknown(
    kind: str, word: str, choices: Iterable[str], *, where: str | None = None
) -> UsageError:
    """Build the error for a name that is not among the valid ones, naming the nearest."""
    names = sorted(choices)
    guess = nearest(word, names)
    hint = f"did you mean '{guess}'? " if guess else ""
    return UsageError(
        f"unknown {kind} '{word}'",
        where=where,
        hint=f"{hint}valid: {first_few(names, 20)}" if names else f"there is no {kind} yet",
    )
