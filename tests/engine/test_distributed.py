"""Items through the actors of a real Ray: answers, deaths, bounds, and what is refused."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import duties
import pytest

from asrdq.engine import Failure, FailureKind, Outcome, cluster, connected, distributed, run_tasks
from asrdq.engine.distributed import HELD_PER_ACTOR, Room
from asrdq.engine.worker import Job
from asrdq.errors import ToolError
from asrdq.settings import RaySettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning"),
]
HALF = RaySettings(cpus_per_worker=0.5)
ALL = RaySettings()


@pytest.fixture(scope="module", autouse=True)
def ray() -> Iterator[None]:
    """Ray on this machine, with two CPUs and no more."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


def answers(outcomes: list[Outcome[int, int]]) -> dict[int, int | None]:
    assert len({outcome.item for outcome in outcomes}) == len(outcomes)
    return {outcome.item: outcome.value for outcome in outcomes}


@pytest.mark.parametrize("workers", [0, 1, 5, 40])
def test_any_number_of_actors_answers_every_item_once(workers: int) -> None:
    """Five are more than there are CPUs, forty more than there are items."""
    outcomes = list(run_tasks(duties.square, range(12), workers=workers, cluster=ALL))
    assert answers(outcomes) == {number: number * number for number in range(12)}
    assert all(outcome.failure is None and outcome.attempts == 1 for outcome in outcomes)


def test_no_items_need_no_actor() -> None:
    assert list(run_tasks(duties.fail_to_load, [], workers=2, cluster=ALL)) == []


def test_crashes_cost_only_their_own_items(tmp_path: Path) -> None:
    """3 crashes always, 7 the first time.

    An answer may go down with the actor that crashes on the next item: then that item is asked
    again too, by itself.
    """
    items = [(number, str(tmp_path)) for number in range(10)]
    outcomes = list(run_tasks(duties.crash_some, items, workers=2, cluster=ALL))
    assert sorted(outcome.item[0] for outcome in outcomes) == list(range(10))
    crashed = {outcome.item[0]: outcome for outcome in outcomes if outcome.failure}
    assert sorted(crashed) == [3]
    for outcome in crashed.values():
        assert outcome.failure is not None
        assert outcome.failure.kind is FailureKind.CRASHED
        assert "worker process has died" in outcome.failure.detail
        assert outcome.attempts == 2
    assert all(one.value is not None for one in outcomes if one.item[0] != 3)
    assert all(one.attempts <= 2 for one in outcomes)


def test_an_actor_killed_by_its_process_id_loses_nothing(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill() -> None:
        while not (notes := list(tmp_path.iterdir())):
            os.sched_yield()
        killed.append(int(notes[0].name))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    items = [(number, str(tmp_path)) for number in range(30)]
    outcomes = list(run_tasks(duties.wait_to_be_killed_once, items, workers=2, cluster=ALL))
    killer.join()
    assert sorted(one.item[0] for one in outcomes) == list(range(30))
    assert all(one.failure is None for one in outcomes)
    assert [one.item[0] for one in outcomes if one.attempts == 2] == [0]
    assert killed[0] not in {one.value for one in outcomes}


def test_what_is_raised_is_told() -> None:
    outcomes = {
        outcome.item: outcome
        for outcome in run_tasks(duties.raise_some, range(4), workers=1, cluster=HALF)
    }
    assert outcomes[1].failure is not None and outcomes[2].failure is not None
    assert outcomes[1].failure.detail == "ValueError: one is not wanted"
    assert outcomes[2].failure.detail == "SystemExit: leaving"
    assert outcomes[3].value == 3


def test_values_that_cannot_travel_are_told() -> None:
    for function in (duties.unpicklable, duties.unreadable):
        (outcome,) = run_tasks(function, [1], workers=1, cluster=HALF)
        assert outcome.failure is not None
        assert outcome.failure.kind is FailureKind.RAISED


def test_an_item_that_the_worker_cannot_read_is_told() -> None:
    items = [duties.UnreadableItem(), 1]
    unread, other = run_tasks(duties.name_of_type, items, workers=1, cluster=HALF)
    assert unread.failure == Failure(FailureKind.RAISED, "ValueError: cannot be read here")
    assert unread.attempts == 1
    assert other.value == "int"


def test_an_item_that_takes_too_long_is_given_up_and_the_others_are_done() -> None:
    outcomes = list(run_tasks(duties.sleep_if_odd, range(2), workers=2, timeout_s=1.0, cluster=ALL))
    assert answers(outcomes) == {0: 0, 1: None}
    kinds = {outcome.failure.kind for outcome in outcomes if outcome.failure}
    assert kinds == {FailureKind.TIMED_OUT}


def test_no_more_bytes_are_in_flight_than_allowed() -> None:
    """Answers of 3 MB and room for 8 MB: two at once, never the four that two actors may hold."""
    asked: list[int] = []

    def items() -> Iterator[int]:
        for number in range(12):
            asked.append(number)
            yield 3_000_000

    settings = RaySettings(in_flight_mb=8.0, cpus_per_worker=0.5)
    ahead = []
    for answered, outcome in enumerate(
        run_tasks(duties.large, items(), workers=2, cluster=settings), start=1
    ):
        assert len(outcome.value or b"") == 3_000_000
        ahead.append(len(asked) - answered)
    assert len(ahead) == 12
    waiting_to_be_given = 1
    assert max(ahead[2 * HELD_PER_ACTOR :]) <= 2 + waiting_to_be_given


def test_room_counts_items_and_expected_answers() -> None:
    room = Room(100)
    room.enter(bytes(10))
    room.leave(bytes(10), bytes(50))
    assert room.takes(bytes(1000)), "one item has room whatever its size"
    room.enter(bytes(10))  # 10 given, an answer of 50 to come
    assert not room.takes(bytes(10))  # 20 + 2 · 50 > 100
    room.leave(bytes(10), bytes(20))
    room.enter(bytes(0))
    assert room.takes(bytes(0))  # 2 · 50 = 100


def test_items_are_drawn_as_needed() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        while True:
            drawn.append(1)
            yield len(drawn)

    outcomes = run_tasks(duties.square, items(), workers=2, cluster=HALF)
    for _ in range(10):
        next(outcomes)
    outcomes.close()
    held = 2 * HELD_PER_ACTOR
    answered_at_once = held
    assert len(drawn) <= 10 + held + answered_at_once + 1


def test_what_was_answered_before_the_iterable_fails_is_given() -> None:
    """Of six items that were given out the actor holds two when the seventh is drawn."""

    def broken() -> Iterator[int]:
        yield from range(6)
        raise OSError("the manifest cannot be read on")

    given: list[int | None] = []
    outcomes = run_tasks(duties.square, broken(), workers=1, cluster=HALF)
    with pytest.raises(OSError, match="cannot be read on"):
        given.extend(outcome.value for outcome in outcomes)
    assert given[:4] == [0, 1, 4, 9]


def test_an_initializer_that_raises_stops_everything() -> None:
    with pytest.raises(ToolError, match="could not start: RuntimeError: the model file is missing"):
        list(
            run_tasks(
                duties.square, range(5), workers=2, initializer=duties.fail_to_load, cluster=HALF
            )
        )


def test_an_initializer_that_dies_stops_everything() -> None:
    with pytest.raises(ToolError, match="could not start: The actor is dead"):
        list(
            run_tasks(
                duties.square,
                range(5),
                workers=1,
                initializer=duties.die_while_loading,
                cluster=HALF,
            )
        )


def test_a_gpu_that_no_node_has_is_an_error() -> None:
    settings = RaySettings(gpus_per_worker=0.25)
    with pytest.raises(ToolError, match=r"0\.25 GPU, and no node of the cluster has one"):
        list(run_tasks(duties.square, range(5), workers=1, cluster=settings))


def test_a_worker_larger_than_any_node_is_an_error() -> None:
    settings = RaySettings(cpus_per_worker=3.0)
    with pytest.raises(ToolError, match="no node of the cluster has room for a worker of 3 CPUs"):
        list(run_tasks(duties.square, range(5), workers=1, cluster=settings))


def test_a_cluster_that_others_fill_is_an_error_and_no_wait_for_ever() -> None:
    from ray.util.placement_group import placement_group, remove_placement_group

    others = placement_group([{"CPU": 2}])
    assert others.wait(timeout_seconds=60)
    settings = RaySettings(patience_s=0.5)
    with pytest.raises(ToolError, match=r"no worker is running after 0\.5 s") as told:
        list(run_tasks(duties.square, range(3), workers=2, cluster=settings))
    assert told.value.hint is not None
    assert "it has 2 CPUs and 0 GPUs in all, and free are 0 CPUs" in told.value.hint
    remove_placement_group(others)


def test_the_time_that_the_caller_takes_is_no_wait_for_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only actor dies while the caller is away: the next one has all the time to start."""
    import ray

    away_s = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + away_s)
    monkeypatch.setattr(distributed, "time", clock)
    monkeypatch.setattr(distributed, "_LOOK_EVERY_S", 0.01)
    items = [(number, str(tmp_path)) for number in (1, 0)]
    job = Job(duties.wait_to_be_killed_once, None, ())
    crew = distributed._Crew(ray, job, items, 1, None, RaySettings(patience_s=60.0))
    actors: list[int] = []
    try:
        crew.fill()
        while crew.actors:
            for outcome in crew.collect():
                actors.append(outcome.value)
                if len(actors) == 1:
                    duties.wait_for(tmp_path / str(actors[0]))
                    os.kill(actors[0], signal.SIGKILL)
                    assert ray.wait([crew.actors[0].next_answer], timeout=60.0)[0]
                    away_s = 1000.0
            crew.fill()
    finally:
        crew.kill()
    assert len(actors) == len(set(actors)) == 2


def test_an_address_of_a_client_is_refused(tmp_path: Path) -> None:
    done = connect(RaySettings(address="ray://head:10001"), tmp_path)
    assert "UsageError: 'ray://head:10001' is not the address of a cluster" in done


def test_a_cluster_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        done = connect(RaySettings(address=address), tmp_path)
    assert f"ToolError: the Ray cluster at {address} cannot be reached" in done


@pytest.mark.parametrize(
    ("said", "told"),
    [(b"", "timed out"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what answers there is no Ray")],
)
def test_another_server_at_the_address_is_told_within_seconds(
    said: bytes, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            client.sendall(said)
            over.wait(10.0)
            client.close()

        over = threading.Event()
        other = threading.Thread(target=answer)
        other.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        try:
            with pytest.raises(ToolError, match=f"{address} cannot be reached: {told}"):
                cluster._there(address)
        finally:
            over.set()
            other.join()


def test_without_ray_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ModuleNotFoundError(\"No module named 'ray'\")")
    done = connect(RaySettings(), tmp_path)
    assert "ToolError: the engine ray cannot be loaded: No module named 'ray'" in done
    assert "pip install 'asrdq[ray]'" in done


def connect(settings: RaySettings, folder: Path) -> str:
    """Connect in a process that has no connection yet; return what it says."""
    script = (
        "from asrdq.engine import connected\n"
        "from asrdq.settings import RaySettings\n"
        f"with connected(RaySettings(address={settings.address!r})):\n"
        "    pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_a_connection_that_is_there_is_used_and_kept() -> None:
    import ray

    with connected(RaySettings(address="ray://ignored")):
        pass
    assert ray.is_initialized()
