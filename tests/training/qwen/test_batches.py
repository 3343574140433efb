"""A step is the same clips on one GPU and on eight; only the cut into passes differs."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.errors import UsageError
from asrdq.training.qwen.batches import Draw, EpochBatches, Sharing
from asrdq.training.qwen.rows import Row


def rows(count: int, groups: tuple[str, ...] = ("a",)) -> list[Row]:
    return [
        Row("a.wav", 0.0, None, 1.0 + number * 7 % 11, "English", "so", "", "d", (group,), str(n))
        for n, number, group in (
            (each, each, groups[each * len(groups) // count]) for each in range(count)
        )
    ]


def steps_heard(count: int, sharing: Sharing, epoch: int = 0) -> list[Counter[int]]:
    """The clips that all ranks together take a loss of, step by step."""
    ranks = [
        EpochBatches(rows(count), dataclasses.replace(sharing, rank=rank), seed=1)
        for rank in range(sharing.world)
    ]
    passes = []
    for one in ranks:
        one.set_epoch(epoch)
        passes.append(list(one))
    assert len({len(own) for own in passes}) == 1 == len({len(one) for one in ranks})
    assert len(passes[0]) == len(ranks[0])
    assert all(0 < len(each) <= sharing.batch for own in passes for each in own)
    heard = []
    for begin in range(0, len(passes[0]), sharing.passes):
        parts = [
            draw for own in passes for each in own[begin : begin + sharing.passes] for draw in each
        ]
        heard.append(Counter(draw.row for draw in parts if not draw.masked))
    return heard


def test_two_gpus_with_sixteen_passes_and_eight_with_four_make_the_same_steps() -> None:
    alone = steps_heard(300, Sharing(64, 64))
    assert [step.total() for step in alone] == [64, 64, 64, 64, 44]
    assert steps_heard(300, Sharing(64, 2, world=2)) == alone
    assert steps_heard(300, Sharing(64, 2, world=8)) == alone
    assert Sharing(64, 2, world=2).passes == 16
    assert Sharing(64, 2, world=8).passes == 4


@given(
    count=st.integers(1, 60),
    effective=st.integers(1, 20),
    batch=st.integers(1, 6),
    world=st.integers(1, 5),
    epoch=st.integers(0, 3),
)
def test_every_clip_is_heard_once_an_epoch_however_a_step_is_shared(
    count: int, effective: int, batch: int, world: int, epoch: int
) -> None:
    if effective < world:
        with pytest.raises(UsageError, match="want one each"):
            EpochBatches(rows(count), Sharing(effective, batch, world), seed=1)
        return
    heard = steps_heard(count, Sharing(effective, batch, world), epoch)
    assert sum(heard, Counter()) == Counter(range(count))
    assert all(step.total() == effective for step in heard[:-1])
    assert heard == steps_heard(count, Sharing(effective, effective), epoch)


def test_epochs_differ_and_the_same_seed_repeats_them() -> None:
    first, again = (EpochBatches(rows(40), Sharing(8, 8), seed=1) for _ in range(2))
    assert first.steps(0) == again.steps(0) != first.steps(1)
    assert EpochBatches(rows(40), Sharing(8, 8), seed=2).steps(0) != first.steps(0)


def padding(batches: EpochBatches, given: list[Row]) -> float:
    """Seconds of padding in an epoch."""
    lengths = [[given[draw.row].duration_s for draw in each] for each in batches]
    return sum(max(each) * len(each) - sum(each) for each in lengths)


def test_buckets_leave_less_padding_and_lose_no_clip() -> None:
    given = rows(400)
    plain = EpochBatches(given, Sharing(8, 8), seed=1)
    sorted_ = EpochBatches(given, Sharing(8, 8), seed=1, buckets=10)
    assert padding(sorted_, given) < padding(plain, given) / 4
    assert Counter(draw.row for each in sorted_ for draw in each) == Counter(range(400))


def test_temperature_mixes_groups_and_counts_what_comes_again() -> None:
    """900 and 100 clips of like length at τ = 0.5: three draws in four, and one in four."""
    given = [
        dataclasses.replace(row, duration_s=1.0, groups=("large" if n < 900 else "small",))
        for n, row in enumerate(rows(1000))
    ]
    batches = EpochBatches(given, Sharing(8, 8), seed=1, temperature=0.5)
    draws = [draw for step in batches.steps(0) for draw in step]
    assert Counter(given[draw.row].groups[0] for draw in draws) == {"large": 750, "small": 250}
    assert max(Counter(draw.row for draw in draws).values()) == 3
    assert len(set(draws)) == 1000  # a repeated clip is augmented in another way
    others = {draw.row for step in batches.steps(1) for draw in step}
    assert others != {draw.row for draw in draws}


def test_a_pass_that_would_be_empty_is_filled_with_a_clip_that_counts_for_nothing() -> None:
    draws = [list(EpochBatches(rows(3), Sharing(2, 1, 2, rank), seed=1)) for rank in (0, 1)]
    assert [len(own) for own in draws] == [2, 2]
    masked = [draw for own in draws for each in own for draw in each if draw.masked]
    assert len(masked) == 1
    assert Draw(0, 0).masked is False
