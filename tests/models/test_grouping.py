"""Clips of one language at a time, and the answers in the order of all clips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.models.grouping import in_groups


@given(st.lists(st.tuples(st.integers(), st.sampled_from(["en", "de", None]))))
def test_each_key_comes_once_and_the_answers_in_the_order_of_the_items(
    pairs: list[tuple[int, str | None]],
) -> None:
    asked: list[str | None] = []

    def work(items: list[int], key: str | None) -> list[tuple[int, str | None]]:
        asked.append(key)
        assert items == [item for item, each in pairs if each == key]
        return [(item, key) for item in items]

    items, keys = [item for item, _ in pairs], [key for _, key in pairs]
    assert in_groups(work, items, keys) == pairs
    assert asked == list(dict.fromkeys(keys))


def test_an_answer_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        in_groups(lambda some, _: some[1:], [1, 2], ["en", "en"])
