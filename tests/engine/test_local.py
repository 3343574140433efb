"""Items in worker processes: answers, failures, and what a crash may cost."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import duties
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asrdq.engine import Failure, FailureKind, Outcome, run_tasks
from asrdq.engine.process import HELD_PER_WORKER
from asrdq.engine.worker import describe
from asrdq.errors import ToolError, UsageError


def answers(outcomes: list[Outcome[int, int]]) -> dict[int, int | None]:
    assert len({outcome.item for outcome in outcomes}) == len(outcomes)
    return {outcome.item: outcome.value for outcome in outcomes}


@pytest.mark.parametrize("workers", [0, 1, 2, 5])
def test_every_item_is_answered_once(workers: int) -> None:
    outcomes = list(run_tasks(duties.square, range(40), workers=workers))
    assert answers(outcomes) == {number: number * number for number in range(40)}
    assert all(outcome.failure is None and outcome.attempts == 1 for outcome in outcomes)


def test_no_items_need_no_worker() -> None:
    assert list(run_tasks(duties.fail_to_load, [], workers=2)) == []


def test_no_more_processes_than_items() -> None:
    seen = {outcome.value for outcome in run_tasks(duties.process_id, range(2), workers=8)}
    assert len(seen) <= 2


def test_items_are_drawn_as_needed() -> None:
    endless = itertools.count()
    outcomes = run_tasks(duties.square, endless, workers=2)
    first = [next(outcomes) for _ in range(10)]
    outcomes.close()
    assert len(first) == 10
    held = 2 * HELD_PER_WORKER
    answered_at_once = held
    assert next(endless) < 10 + held + answered_at_once


def test_negative_workers_are_refused() -> None:
    with pytest.raises(UsageError, match="-1 workers"):
        run_tasks(duties.square, [1], workers=-1)


def test_crashes_cost_only_their_own_items(tmp_path: Path) -> None:
    items = [(number, str(tmp_path)) for number in range(50)]
    outcomes = list(run_tasks(duties.crash_some, items, workers=2))
    assert sorted(outcome.item[0] for outcome in outcomes) == list(range(50))
    crashed = {outcome.item[0]: outcome for outcome in outcomes if outcome.failure}
    assert sorted(crashed) == [3, 13, 23, 33, 43]
    for outcome in crashed.values():
        assert outcome.failure is not None
        assert outcome.failure.kind is FailureKind.CRASHED
        assert "SIGSEGV" in outcome.failure.detail
        assert outcome.attempts == 2
    again = {outcome.item[0] for outcome in outcomes if outcome.attempts == 2}
    assert again == {3, 13, 23, 33, 43, 7, 17, 27}
    assert all(outcome.value == outcome.item[0] for outcome in outcomes if not outcome.failure)


def test_a_crash_in_c_tells_its_last_words() -> None:
    outcomes = list(run_tasks(duties.segfault_in_c, range(4), workers=1))
    assert answers(outcomes) == {0: 0, 1: None, 2: 2, 3: 3}
    (failure,) = [outcome.failure for outcome in outcomes if outcome.failure]
    assert failure.kind is FailureKind.CRASHED
    assert failure.detail == "killed by SIGSEGV; last output: reading address 0"


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="needs signals of real time")
def test_a_signal_without_a_name_is_a_crash() -> None:
    nameless = signal.SIGRTMIN + 6
    (outcome,) = run_tasks(duties.die_of_signal, [nameless], workers=1)
    assert outcome.failure == Failure(FailureKind.CRASHED, f"killed by signal {nameless}")


def test_an_exit_inside_c_is_a_crash() -> None:
    (outcome,) = run_tasks(duties.exit_quietly, [5], workers=1)
    assert outcome.failure is not None
    assert outcome.failure.detail == "ended with exit code 5"


def test_a_suspect_is_tried_again_alone_in_a_new_worker(tmp_path: Path) -> None:
    items = [(number, str(tmp_path)) for number in range(12)]
    list(run_tasks(duties.crash_beside, items, workers=2))
    by_process = [log.read_text().split() for log in tmp_path.iterdir()]
    crashing = [seen for seen in by_process if "0" in seen]
    assert len(crashing) == 2
    assert ["0"] in crashing


def test_what_is_raised_is_told() -> None:
    outcomes = {
        outcome.item: outcome for outcome in run_tasks(duties.raise_some, range(4), workers=1)
    }
    assert outcomes[1].failure is not None and outcomes[2].failure is not None
    assert outcomes[1].failure.kind is FailureKind.RAISED
    assert outcomes[1].failure.detail == "ValueError: one is not wanted"
    assert outcomes[2].failure.detail == "SystemExit: leaving"
    assert outcomes[3].value == 3


def test_what_is_meant_for_people_is_told_without_the_name_of_its_class() -> None:
    """The hint, on a line of its own, is for the command and not for a table."""
    assert describe(ToolError("is no model", where="m", hint="name one")) == "m: is no model"
    assert describe(OSError("no space")) == "OSError: no space"
    assert describe(MemoryError()) == "MemoryError"


@pytest.mark.parametrize("function", [duties.unpicklable, duties.unreadable])
def test_a_value_that_cannot_travel_is_told(function: object) -> None:
    (outcome,) = run_tasks(function, [1], workers=1)  # type: ignore[arg-type]
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.RAISED


def test_an_item_that_the_worker_cannot_read_is_told() -> None:
    items = [duties.UnreadableItem(), 1]
    unread, other = run_tasks(duties.name_of_type, items, workers=1)
    assert unread.failure == Failure(FailureKind.RAISED, "ValueError: cannot be read here")
    assert unread.attempts == 1
    assert other.value == "int"


@pytest.mark.slow
def test_an_item_that_takes_too_long_is_given_up_and_the_others_are_done() -> None:
    outcomes = list(run_tasks(duties.sleep_if_odd, range(5), workers=2, timeout_s=2.0))
    assert answers(outcomes) == {0: 0, 1: None, 2: 2, 3: None, 4: 4}
    kinds = {outcome.failure.kind for outcome in outcomes if outcome.failure}
    assert kinds == {FailureKind.TIMED_OUT}


def test_values_and_items_larger_than_any_pipe_do_not_block() -> None:
    size = 5_000_000
    outcomes = list(run_tasks(duties.length, [bytes(size)] * 6, workers=2))
    assert [len(outcome.value or b"") for outcome in outcomes] == [size] * 6


def test_what_workers_print_stays_out_of_the_way(capfd: pytest.CaptureFixture[str]) -> None:
    assert len(list(run_tasks(duties.chatter, range(5), workers=2))) == 5
    assert capfd.readouterr() == ("", "")


def test_a_worker_has_one_thread_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS"]
    outcomes = run_tasks(duties.environment, names, workers=1)
    assert {outcome.item: outcome.value for outcome in outcomes} == {names[0]: "1", names[1]: "3"}


def test_the_initializer_runs_once_in_each_worker() -> None:
    outcomes = list(
        run_tasks(duties.loaded, range(10), workers=2, initializer=duties.load, initargs=("m",))
    )
    assert [outcome.value for outcome in outcomes] == [["m"]] * 10


def test_an_initializer_that_raises_stops_everything() -> None:
    with pytest.raises(ToolError, match="could not start: RuntimeError: the model file is missing"):
        list(run_tasks(duties.square, range(5), workers=2, initializer=duties.fail_to_load))


def test_an_initializer_that_crashes_stops_everything() -> None:
    with pytest.raises(ToolError, match="could not start: killed by SIGSEGV"):
        list(run_tasks(duties.square, range(5), workers=2, initializer=duties.die_while_loading))


def test_a_failing_iterable_is_passed_on() -> None:
    def broken() -> itertools.chain[int]:
        return itertools.chain([1], (1 // zero for zero in [0]))

    with pytest.raises(ZeroDivisionError):
        list(run_tasks(duties.square, broken(), workers=1))


def test_what_was_answered_before_the_iterable_fails_is_given() -> None:
    """Of six items that were given out the worker holds two at most when the seventh is drawn."""

    def broken() -> Iterator[int]:
        yield from range(6)
        raise OSError("the manifest cannot be read on")

    given: list[int | None] = []
    with pytest.raises(OSError, match="cannot be read on"):
        given.extend(outcome.value for outcome in run_tasks(duties.square, broken(), workers=1))
    assert given[:4] == [0, 1, 4, 9]


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux to watch processes")
def test_what_was_answered_before_a_worker_fails_to_start_is_given(tmp_path: Path) -> None:
    outcomes = run_tasks(
        duties.answer_two,
        [str(tmp_path)] * 6,
        workers=2,
        initializer=duties.load_in_one_worker,
        initargs=(str(tmp_path),),
    )
    assert next(outcomes).value == 1
    (tmp_path / "go").touch()
    duties.wait_for(tmp_path / "two answered")
    duties.wait_for(tmp_path / "failing")
    assert duties.wait_for_end(int((tmp_path / "failing").read_text()))
    assert next(outcomes).value == 2
    with pytest.raises(ToolError, match="could not start: RuntimeError: no memory is left"):
        next(outcomes)


@pytest.mark.slow
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(st.sets(st.integers(0, 10_000), max_size=30))
def test_answers_do_not_depend_on_the_number_of_workers(numbers: set[int]) -> None:
    one = answers(list(run_tasks(duties.square, numbers, workers=1)))
    assert one == answers(list(run_tasks(duties.square, numbers, workers=3)))
