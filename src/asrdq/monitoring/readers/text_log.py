"""Console logs: NeMo's progress bars, the Trainer's printed metrics, lines with steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from asrdq.monitoring.logs import LARGEST_STEP, Log, Point, frame
from asrdq.monitoring.names import VALIDATION, classify
from asrdq.monitoring.readers.bars import ANSI, Said, read_line

_BREAKS: Final = re.compile(r"[\r\n]+")
_CHUNK_BYTES: Final = 8 << 20
_LONGEST_LINE: Final = 4096
"""What is longer is no line about metrics, and would only slow the patterns down."""


def read_text_log(path: Path, file: str) -> Log:
    """Read the console output of a training run, as it was written to a file.

    Progress bars overwrite themselves with carriage returns and are coloured with ANSI codes; both
    are understood. The last state of a bar counts for its step. A bar repeats the validation
    metrics until the next validation: they are taken where they change.

    Raises:
        OSError: The file cannot be read.
    """
    log = Log(file, frame(()))
    log.rows = frame(_Console(log).points(_lines(path)))
    return log


def _lines(path: Path) -> Iterator[str]:
    """Give the lines and states of bars; the last one only if it has come to its end."""
    rest = ""
    with path.open("r", encoding="utf-8", errors="replace", newline="") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            *whole, rest = _BREAKS.split(rest + chunk)
            yield from whole
            if len(rest) > _CHUNK_BYTES:
                rest = ""


class _Console:
    """Follows where a console is: the step of a bar counts on over epochs.

    A bar without an epoch may be that of the training or of anything else. The one that stood
    there when a training loss was printed is that of the training.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._step = 0
        self._base = 0
        self._count = 0
        self._epoch: int | None = None
        self._bare: tuple[int, int] = (0, 0)
        self._training_total: int | None = None
        self._validated: dict[str, float] = {}

    def points(self, lines: Iterator[str]) -> Iterator[Point]:
        """Give the values of the lines."""
        for line in lines:
            if len(line) > _LONGEST_LINE:
                continue
            plain = ANSI.sub("", line) if "\x1b" in line else line
            before, brace, after = plain.partition("{'")  # metrics printed behind a bar
            for part in (before, brace + after):
                said = read_line(part) if part else None
                if said is not None:
                    yield from self._take(said)

    def _take(self, said: Said) -> Iterator[Point]:
        if said.count is not None and said.epoch is None and said.step is None:
            self._see_bare_bar(said.count, said.total)
            return
        self._move(said)
        if said.unfrozen and self._step not in self._log.unfreezes:
            self._log.unfreezes += (self._step,)
        self._log.ended = said.ended or (self._log.ended and not said.values)
        self._log.max_steps = said.planned or self._log.max_steps
        epoch = None if self._epoch is None else float(self._epoch)
        for name, value in said.values.items():
            repeated = said.count is not None and classify(name)[0] == VALIDATION
            if repeated and _same(self._validated.get(name), value):
                continue
            if repeated:
                self._validated[name] = value
            yield self._step, name, value, epoch, None

    def _see_bare_bar(self, count: int, total: int | None) -> None:
        self._bare = (count, total or 0)
        if self._training_total and total == self._training_total:
            self._step = count

    def _move(self, said: Said) -> None:
        if said.count is not None:
            if said.epoch != self._epoch:
                goes_on = self._epoch is not None and said.epoch == self._epoch + 1
                self._base = self._base + self._count if goes_on else self._start(said)
            self._count = said.count
            self._step = min(self._base + said.count, LARGEST_STEP)
        elif "loss" in said.values and self._bare[1] and said.step is None:
            self._step, self._training_total = self._bare
            self._log.max_steps = self._training_total
        if said.step is not None and said.step <= LARGEST_STEP:
            self._step = said.step
        if said.epoch is not None:
            self._epoch = said.epoch

    def _start(self, said: Said) -> int:
        """Return the steps before the epoch that a log begins with, or was resumed in."""
        return (said.epoch or 0) * said.total if said.total else 0


def _same(before: float | None, now: float) -> bool:
    return before is not None and (before == now or (before != before and now != now))
