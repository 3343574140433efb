"""What tests share that kill a command at a random point."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ORPHANS_GONE_S = 30.0


@pytest.fixture
def kill() -> Callable[[subprocess.Popen[bytes], float], bool]:
    """Kill a process that leads a session after some seconds: `kill(process, 1.5)`.

    It tells whether the process was still at work; none of its own is alive afterwards.
    """

    def run(process: subprocess.Popen[bytes], after_s: float) -> bool:
        killed = False
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed = process.wait() == -signal.SIGKILL
        deadline = time.monotonic() + ORPHANS_GONE_S
        while alive_in_session(process.pid) and time.monotonic() < deadline:
            os.sched_yield()
        assert alive_in_session(process.pid) == []
        return killed

    return run


def alive_in_session(session: int) -> list[int]:
    """Return the living processes of a session; dead ones that nobody waits for do not count."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(after_name[3]) == session and after_name[0] not in "ZX":
            found.append(int(stat.parent.name))
    return found
