"""Batches of clips: by number, and by seconds of audio."""

from __future__ import annotations

from asrdq.audit.batches import batches
from asrdq.audit.examination import ClipTask
from asrdq.audit.faults import Fault


def tasks(*lengths_s: float | None) -> list[ClipTask]:
    return [
        ClipTask(
            key=str(at),
            utt_id=str(at),
            path="a.wav",
            offset_s=0.0,
            length_s=None,
            words=("one",),
            language="en",
            fault=Fault.UNTOUCHED,
            seed=1,
            stated_s=length_s,
        )
        for at, length_s in enumerate(lengths_s)
    ]


def lengths(found: list[tuple[ClipTask, ...]]) -> list[list[float | None]]:
    return [[task.stated_s for task in batch] for batch in found]


def test_by_number_alone_the_order_stays() -> None:
    found = list(batches(tasks(1.0, 9.0, None, 2.0, 5.0), 2, None))
    assert lengths(found) == [[1.0, 9.0], [None, 2.0], [5.0]]


def test_by_seconds_the_longest_come_first() -> None:
    found = list(batches(tasks(2.0, 9.0, 3.0, 6.0, 4.0, 1.0), 8, 10.0))
    assert lengths(found) == [[9.0], [6.0, 4.0], [3.0, 2.0, 1.0]]


def test_both_limits_hold() -> None:
    found = list(batches(tasks(1.0, 1.0, 1.0, 1.0, 1.0), 2, 10.0))
    assert lengths(found) == [[1.0, 1.0], [1.0, 1.0], [1.0]]


def test_what_is_longer_or_of_unknown_length_is_alone() -> None:
    found = list(batches(tasks(1.0, None, 40.0, 2.0), 8, 10.0))
    assert lengths(found) == [[40.0], [None], [2.0, 1.0]]


def test_no_clips_make_no_batch() -> None:
    assert list(batches([], 4, 10.0)) == []
    assert list(batches([], 4, None)) == []
