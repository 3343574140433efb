"""Work in threads: in order, a few items ahead, and ended at once by an error."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from asrdq.engine.threads import in_threads

WAIT_S = 10.0


def test_answers_come_in_order_whichever_is_ready_first() -> None:
    second_is_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_is_done.wait(WAIT_S)
        if item == 1:
            second_is_done.set()
        return item * item

    assert list(in_threads(work, range(5), 2)) == [(0, 0), (1, 1), (2, 4), (3, 9), (4, 16)]


@pytest.mark.parametrize(("ahead", "most"), [(None, 3), (4, 5)])
def test_items_are_taken_as_they_are_needed(ahead: int | None, most: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    found = in_threads(str, items(), 2, ahead)
    assert next(found) == (0, "0")
    assert len(taken) == most
    found.close()
    assert len(taken) == most


def test_an_error_comes_in_the_place_of_its_answer_and_ends_the_work() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 1:
            raise ValueError("no answer")
        return item

    found = in_threads(work, range(1000), 2)
    assert next(found) == (0, 0)
    with pytest.raises(ValueError, match="no answer"):
        next(found)
    assert len(begun) < 10
    assert list(found) == []
