"""Work that runs out of memory goes on in halves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from asrdq.models.halving import NoMemoryError, in_halves


def crowded(most: int, error: Exception) -> tuple[list[int], Callable[[Sequence[int]], list[int]]]:
    """Work with room for so many items, and for no 13; and the sizes it was given."""
    sizes: list[int] = []

    def work(items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        if len(items) > most or 13 in items:
            raise error
        return [10 * item for item in items]

    return sizes, work


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no room"),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_batch_is_halved_until_it_fits(error: Exception) -> None:
    sizes, work = crowded(2, error)
    assert in_halves(work, [1, 2, 3, 4, 5], lambda item, _: -item) == [10, 20, 30, 40, 50]
    assert sizes == [5, 2, 3, 1, 2]


def test_an_item_that_does_not_fit_by_itself_has_an_answer_too() -> None:
    _, work = crowded(4, MemoryError("no room"))
    told: list[NoMemoryError] = []

    def failed(item: int, error: NoMemoryError) -> int:
        told.append(error)
        return -item

    assert in_halves(work, [1, 13, 3], failed) == [10, -13, 30]
    assert [str(error) for error in told] == ["no room"]


def test_any_other_error_is_not_swallowed() -> None:
    _, work = crowded(0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        in_halves(work, [1, 2], lambda item, _: item)


def test_nothing_is_nothing() -> None:
    _, work = crowded(0, MemoryError())
    assert in_halves(work, [], lambda item, _: item) == []
