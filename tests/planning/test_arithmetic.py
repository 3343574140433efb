"""The arithmetic of a run: the figures of the definitions, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.planning.arithmetic import (
    accumulation_for,
    effective_batch,
    scheduler_steps,
    steps_of_rows,
    steps_of_seconds,
    validation_interval,
    warmup_for,
)
from asrdq.sampling.weights import temperature_weights


@pytest.mark.parametrize(("batch", "passes", "gpus"), [(2, 16, 2), (4, 2, 8), (4, 8, 2)])
def test_an_effective_batch_of_64(batch: int, passes: int, gpus: int) -> None:
    assert effective_batch(batch, passes, gpus) == 64


@pytest.mark.parametrize(("batch", "gpus", "passes"), [(2, 2, 16), (2, 8, 4), (4, 8, 2), (4, 2, 8)])
def test_accumulation_keeps_64_when_the_gpus_change(batch: int, gpus: int, passes: int) -> None:
    chosen = accumulation_for(64, batch, gpus)
    assert chosen.divides
    assert chosen.passes == passes


def test_where_accumulation_does_not_divide_the_nearest_two_are_said() -> None:
    chosen = accumulation_for(64, 3, 2)
    assert not chosen.divides
    assert chosen.nearest == ((10, 60), (11, 66))
    assert chosen.passes == 11  # 66 is 2 away from 64, 60 is 4 away


def test_one_pass_that_is_too_large_already_is_the_only_choice() -> None:
    chosen = accumulation_for(64, 16, 8)
    assert not chosen.divides
    assert chosen.nearest == ((1, 128),)


@given(st.integers(1, 5000), st.integers(1, 64), st.integers(1, 64))
def test_the_target_lies_between_the_nearest_two(target: int, batch: int, gpus: int) -> None:
    chosen = accumulation_for(target, batch, gpus)
    sizes = [clips for _, clips in chosen.nearest]
    assert all(count * batch * gpus == clips for count, clips in chosen.nearest)
    assert chosen.divides == (target % (batch * gpus) == 0)
    if len(sizes) == 2:
        assert sizes[0] < target < sizes[1]
    elif not chosen.divides:
        assert target < batch * gpus


def test_steps_of_an_epoch_in_clips() -> None:
    assert steps_of_rows(186_812, 64) == 2919
    assert steps_of_rows(186_812, 64) * 5 == 14_595
    assert steps_of_rows(64, 64) == 1


def test_steps_of_an_epoch_in_seconds() -> None:
    steps = steps_of_seconds(2000, 2200, 4)
    assert steps == 818
    assert validation_interval(steps, 2) == 409
    assert round(50_000 / steps) == 61
    assert steps_of_seconds(0.1, 2200, 4) == 1


def test_steps_of_the_scheduler_leave_the_last_batch_out() -> None:
    assert scheduler_steps(948, 16, 20) == 1185
    assert steps_of_rows(948, 16) * 20 == 1200


@pytest.mark.parametrize(
    ("rows", "hours", "steps", "expected"),
    [
        (39, 0.05, 300, 5),  # under 100 rows
        (39, 0.05, 30, 3),  # 10 % of the steps
        (948, 0.71, 1185, 50),
        (1_000, 1.0, 100_000, 500),  # from 1,000 rows on about 500
        (1_000, 1.0, 1_000, 100),  # 10 % of the steps
        (1_000_000, 2_000, 50_000, 2_500),
        (9_000_000, 20_000, 500_000, 2_500),  # no more than that
        (10, 0.01, 3, 1),  # at least 1
    ],
)
def test_warmup_by_the_data(rows: int, hours: float, steps: int, expected: int) -> None:
    assert warmup_for(rows, hours, steps) == expected


def test_temperature_weights_of_900_and_100_hours() -> None:
    assert temperature_weights([900.0, 100.0], 0.5) == [0.75, 0.25]
