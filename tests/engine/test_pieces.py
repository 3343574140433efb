"""Results in pieces: soon committed, none twice, nothing lost before an exception."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from asrdq.engine import commit_in_pieces

LONGEST_S = 60.0
NEVER_S = 3600.0


def test_no_piece_is_larger_than_asked_and_none_is_empty() -> None:
    for text, pieces in [("abcde", ["ab", "cd", "e"]), ("abcd", ["ab", "cd"]), ("", [])]:
        committed: list[str] = []
        commit_in_pieces(text, lambda piece, to=committed: to.append("".join(piece)), NEVER_S, 2)
        assert committed == pieces


def test_items_are_committed_while_the_next_is_waited_for() -> None:
    """As many answers of one batch: the item that ends the window may be a minute away."""
    committed: list[int] = []
    three_there = threading.Event()

    def slow() -> Iterator[int]:
        yield from [1, 2, 3]
        assert three_there.wait(LONGEST_S)
        yield 4

    def commit(piece: list[int]) -> None:
        committed.extend(piece)
        if len(committed) == 3:
            three_there.set()

    commit_in_pieces(slow(), commit, 0.01)
    assert committed == [1, 2, 3, 4]


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_came_before_an_exception_is_committed_first(end: type[BaseException]) -> None:
    def failing() -> Iterator[int]:
        yield from [1, 2]
        raise end("no more")

    committed: list[list[int]] = []
    with pytest.raises(end, match="no more"):
        commit_in_pieces(failing(), committed.append, NEVER_S)
    assert committed == [[1, 2]]


@pytest.mark.parametrize("items", ["a", "ab"])
def test_ctrl_c_is_heard_while_a_commit_takes_its_time(items: str) -> None:
    """At the end and between items, also where polars is loaded."""
    code = (
        "import sys, time, polars\nfrom asrdq.engine import commit_in_pieces\n"
        "def commit(piece):\n    print('committing', flush=True)\n    time.sleep(300)\n"
        "commit_in_pieces(sys.argv[1], commit, 0.01, 1)"
    )
    command = [sys.executable, "-c", code, items]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"committing\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            _, error = process.communicate(timeout=LONGEST_S)
        finally:
            process.kill()
    assert b"KeyboardInterrupt" in error


def test_a_commit_that_fails_is_the_last() -> None:
    tried: list[list[int]] = []

    def commit(piece: list[int]) -> None:
        tried.append(piece)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        commit_in_pieces(itertools.count(), commit, NEVER_S, 3)
    assert tried == [[0, 1, 2]]


def test_the_last_commit_may_fail() -> None:
    def commit(_: list[int]) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        commit_in_pieces([1], commit, NEVER_S)


def test_no_more_wait_than_a_commit_takes() -> None:
    """One piece is committed, one waits, and one item is drawn that has no place yet."""
    drawn: list[int] = []
    committed: list[int] = []
    ahead: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    def commit(piece: list[int]) -> None:
        ahead.append(len(drawn) - len(committed))
        committed.extend(piece)

    commit_in_pieces(items(), commit, NEVER_S, 5)
    assert committed == list(range(100))
    assert max(ahead) <= 5 + 5 + 1
