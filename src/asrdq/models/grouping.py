"""Models that take clips of one language at a time get them in groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K")
R = TypeVar("R")


def in_groups(
    work: Callable[[list[T], K], Sequence[R]], items: Sequence[T], keys: Sequence[K]
) -> list[R]:
    """Return what `work` gives for items, each group with one key together.

    Args:
        work: Called with the items of a key, and the key; gives an answer for each item.
        items: In the order of the answers.
        keys: The key of each item, such as its language.

    >>> in_groups(lambda some, key: [key * len(some)] * len(some), [1, 2, 3], ["a", "b", "a"])
    ['aa', 'b', 'aa']
    """
    answers: dict[int, R] = {}
    for key in dict.fromkeys(keys):
        own = [at for at, each in enumerate(keys) if each == key]
        answers.update(zip(own, work([items[at] for at in own], key), strict=True))
    return [answers[at] for at in range(len(items))]
