"""What comes back for each item, and the protocol every engine follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

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


class Engine(Protocol):
    """Something that runs a function over many items, whatever machines it uses."""

    def run(
        self,
        function: Callable[[T], R],
        items: Iterable[T],
        *,
        initializer: Callable[..., None] | None = None,
        initargs: tuple[Any, ...] = (),
        timeout_s: float | None = None,
    ) -> Iterator[Outcome[T, R]]:
        """Yield one outcome an item, in the order in which they are done."""
        ...
