"""Stopping: however the parent ends, no worker outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duties
import pytest

from asrdq.engine import run_tasks

PARENT = """
import sys
import duties
from asrdq.engine import run_tasks

if __name__ == "__main__":
    print("started", flush=True)
    list(run_tasks(duties.announce_and_wait, [sys.argv[1]] * 2, workers=2))
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A process with two workers that would wait for ten minutes."""
    notes = tmp_path / "notes"
    notes.mkdir()
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    source = Path(sys.modules["asrdq"].__path__[0]).parent
    paths = os.pathsep.join([str(Path(duties.__file__).parent), str(source)])
    process = subprocess.Popen(
        [sys.executable, str(script), str(notes)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    yield process, _wait_for_workers(notes)
    process.kill()
    process.communicate()


def _wait_for_workers(notes: Path) -> list[int]:
    while len(found := [int(note.name) for note in notes.iterdir()]) < 2:
        os.sched_yield()
    return found


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux to watch processes")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_its_parent(
    parent: tuple[subprocess.Popen[str], list[int]], how: signal.Signals
) -> None:
    process, workers = parent
    process.send_signal(how)
    assert process.wait(duties.LONGEST_S) != 0
    assert all(duties.wait_for_end(worker) for worker in workers)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux to watch processes")
def test_ctrl_c_at_the_terminal_prints_one_traceback_only(
    parent: tuple[subprocess.Popen[str], list[int]],
) -> None:
    process, workers = parent
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=duties.LONGEST_S)
    assert errors.count("Traceback") == 1
    assert all(duties.wait_for_end(worker) for worker in workers)


def test_closing_the_iterator_stops_the_workers() -> None:
    outcomes = run_tasks(duties.process_id, range(100), workers=2)
    worker = next(outcomes).value
    outcomes.close()
    assert worker is not None
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
