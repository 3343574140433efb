"""What comes back for each item: its value, or why it has none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class FailureKind(StrEnum):
    """Why an item has no value."""

    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item has no value, in a word and in a sentence for people."""

    kind: FailureKind
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T, R]):
    """The answer for one item: its value, or the failure that took its place.

    Attributes:
        item: The item as it was given.
        value: What the function returned; None where there is a failure.
        failure: None where the function returned.
        attempts: How often the item was started: 2 where it took a worker down once.
    """

    item: T
    value: R | None
    failure: Failure | None
    attempts: int = 1
