"""The simulation of a large audit, against cases that are worked out by hand."""

from __future__ import annotations

import statistics

import pytest
from scale_simulation import Fleet, Run, Simulation


def simulated(batches: list[float], fleet: Fleet, rows: int = 1, seed: int = 1) -> Run:
    return Simulation(batches, rows, fleet, seed).simulate()


@pytest.mark.parametrize(("count", "seconds"), [(8, 20.0), (9, 30.0), (4, 10.0), (1, 10.0)])
def test_equal_batches_take_as_many_turns_as_there_are(count: int, seconds: float) -> None:
    """⌈count / 4 workers⌉ turns of 10 s."""
    run = simulated([10.0] * count, Fleet(workers=4))
    assert run.seconds == pytest.approx(seconds)


def test_the_parent_takes_answers_one_after_the_other() -> None:
    """100 answers come at 5 s and cost 10 ms and 32 · 0.5 ms each: 5 + 100 · 0.026 s."""
    run = simulated([5.0] * 100, Fleet(workers=100, answer_s=0.01, row_s=0.0005), rows=32)
    assert run.seconds == pytest.approx(5.0 + 2.6)
    assert run.parent_s == pytest.approx(2.6)
    assert run.longest_queue == 100


def test_commits_come_when_rows_are_many() -> None:
    """16,000 rows at once, 1,000 a batch: the parent commits after 5, 10, 15 and the last one."""
    run = simulated([1.0] * 16, Fleet(workers=16, commit_s=0.5), rows=1000)
    assert run.commits == 4
    assert run.seconds == pytest.approx(1.0 + 4 * 0.5)


def test_commits_come_every_two_seconds() -> None:
    """A batch a second for ten seconds: commits after 2, 4, 6, 8 and 10."""
    run = simulated([1.0] * 10, Fleet(workers=1))
    assert run.commits == 5


def test_a_slow_parent_does_not_keep_a_worker_from_its_second_batch() -> None:
    """Two workers of two batches each: they are done at 2 s, and 4 answers cost 3 s each."""
    run = simulated([1.0] * 4, Fleet(workers=2, answer_s=3.0))
    assert run.seconds == pytest.approx(1.0 + 4 * 3.0)
    assert run.waited_s == 0.0


def test_a_worker_waits_for_a_slow_parent_once_it_has_nothing() -> None:
    """One worker: answers at 1, 2; the parent is done at 4, 7, and gives the third at 4."""
    run = simulated([1.0] * 3, Fleet(workers=1, answer_s=3.0))
    assert run.waited_s == pytest.approx(2.0)
    assert run.seconds == pytest.approx(1.0 + 3 * 3.0)


def test_a_slow_machine_is_the_straggler() -> None:
    """Four batches of 10 s on two workers, one three times as slow: it ends its two at 60 s."""
    run = simulated([10.0] * 4, Fleet(workers=2, slow_share=0.5, slow_factor=3.0))
    assert run.seconds == pytest.approx(60.0)


def test_the_last_of_many_random_batches_comes_after_the_harmonic_number() -> None:
    """The largest of 50 exponential times is H(50) = 4.499 means on average."""
    import random

    lasts = []
    for seed in range(400):
        chance = random.Random(seed)
        batches = [chance.expovariate(1.0) for _ in range(50)]
        lasts.append(simulated(batches, Fleet(workers=50)).seconds)
    expected = sum(1 / n for n in range(1, 51))
    error = statistics.stdev(lasts) / len(lasts) ** 0.5
    assert abs(statistics.mean(lasts) - expected) < 4 * error < 0.3


def test_what_a_lost_machine_had_is_done_again() -> None:
    """Batches of 1 s that an exponential loss may cut: (e^λ - 1)/λ working seconds for each.

    With a loss every 2 s of work on average λ = 1/2, and a machine that is back at once.
    """
    batches = [1.0] * 4000
    run = simulated(batches, Fleet(workers=1, losses_per_hour=1800.0))
    assert run.seconds == pytest.approx(4000 * 1.29744, rel=0.05)
    assert run.lost_s == pytest.approx(run.seconds - 4000.0)
    assert run.losses == pytest.approx(run.seconds / 2, rel=0.05)


def test_the_same_seed_gives_the_same_run() -> None:
    fleet = Fleet(workers=5, losses_per_hour=600.0, away_s=3.0)
    first, second = (simulated([1.0] * 100, fleet, seed=3) for _ in range(2))
    assert first == second
    assert first != simulated([1.0] * 100, fleet, seed=4)
