"""Results in pieces: nothing lost, also not before an exception."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from asrdq.engine import in_pieces


def test_each_piece_ends_when_its_time_is_over() -> None:
    assert list(in_pieces("abc", 0.0)) == [["a"], ["b"], ["c"], []]
    assert list(in_pieces("abc", 3600.0)) == [["a", "b", "c"]]


def test_no_piece_is_larger_than_asked() -> None:
    assert list(in_pieces("abcde", 3600.0, 2)) == [["a", "b"], ["c", "d"], ["e"]]


def test_what_came_before_an_exception_is_given_first() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("no more")

    pieces = in_pieces(failing(), 3600.0)
    assert next(pieces) == [1, 2]
    with pytest.raises(ValueError, match="no more"):
        next(pieces)
