"""What a plan calls out: a level, what it is about, and the sentence."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know before the run.

    Attributes:
        level: How much it weighs: with an error the run fails or is not the one that is meant.
        about: The key of the recipe, or the part of the plan.
        text: What it is, with the figures.
    """

    level: Level
    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.about}: {self.text}"


def error(about: str, text: str) -> Finding:
    """Return a finding of the level error."""
    return Finding(Level.ERROR, about, text)


def warning(about: str, text: str) -> Finding:
    """Return a finding of the level warning."""
    return Finding(Level.WARNING, about, text)


def note(about: str, text: str) -> Finding:
    """Return a finding of the level note."""
    return Finding(Level.NOTE, about, text)
