"""Batches are of like length, hold what fits, and are the same for the same clips."""

from __future__ import annotations

import random

from asrdq.transcription.collection import in_batches
from asrdq.transcription.work import ClipTask


def clip(key: str, duration_s: float) -> ClipTask:
    return ClipTask(key, f"{key}.wav", 0.0, None, "en", duration_s=duration_s)


CLIPS = [clip("a", 1.0), clip("b", 9.0), clip("c", 4.0), clip("d", 4.0), clip("e", 2.0)]


def keys(most: int, most_s: float, clips: list[ClipTask] = CLIPS) -> list[str]:
    return ["".join(task.key for task in batch) for batch in in_batches(clips, most, most_s)]


def test_the_longest_come_first_and_each_counts_as_long_as_the_longest_of_its_batch() -> None:
    assert keys(3, 0.0) == ["bcd", "ea"]
    assert keys(10, 8.0) == ["b", "cd", "ea"]
    assert keys(10, 12.0) == ["b", "cde", "a"]
    assert keys(2, 12.0) == ["b", "cd", "ea"]
    assert keys(1, 100.0) == ["b", "c", "d", "e", "a"]


def test_the_order_of_the_manifest_does_not_matter_and_nothing_is_lost() -> None:
    shuffled = CLIPS.copy()
    random.Random(1).shuffle(shuffled)
    assert shuffled != CLIPS
    assert keys(10, 8.0, shuffled) == keys(10, 8.0)
    assert keys(10, 8.0, []) == []


def test_clips_of_no_known_length_are_bounded_by_number() -> None:
    unknown = [clip(str(index), 0.0) for index in range(5)]
    assert [len(each) for each in keys(2, 8.0, unknown)] == [2, 2, 1]
