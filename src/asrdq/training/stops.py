"""What asks a run to stop from outside: a signal, or a file."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any, Final

from asrdq import console
from asrdq.training.pace import Pace

STOP_FILE: Final = "STOP"
SIGNAL, STOPPED_BY_FILE, WATCH, EARLY = "signal", "stop_file", "watch:", "early_stopping"
"""Why a run stopped; `watch:` is followed by the rule."""
_CAUGHT: Final = (signal.SIGTERM, signal.SIGINT)


class Stops:
    """Holds SIGTERM and Ctrl-C back inside, so that the step ends and a checkpoint is written.

    A second Ctrl-C ends the process at once. Outside the main thread signals are left alone.

    Attributes:
        received: The signal that came, None before.
    """

    def __init__(self, run_dir: Path) -> None:
        self.received: signal.Signals | None = None
        self._file = run_dir / STOP_FILE
        self._pace = Pace(1.0, 0.01)
        self._there = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stops:
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._catch) for each in _CAUGHT}
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def reason(self) -> str | None:
        """Return `signal` or `stop_file`, None where nobody asks."""
        if self.received is not None:
            return SIGNAL
        if self._pace.due():
            self._there = self._file.exists()
            self._pace.took(0.0)
        return STOPPED_BY_FILE if self._there else None

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)
        console.say(f"{self.received.name}: the run stops after this step, with a checkpoint")
