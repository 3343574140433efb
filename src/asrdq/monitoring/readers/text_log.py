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
    """Follows where a console is.

    The step of a bar with an epoch counts on over epochs. The Trainer's bar has none, and what the
    Trainer prints has no step: it is that of the bar which is drawn anew behind it.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._step = 0
        self._epochs: tuple[float | None, int, int] = (None, 0, 0)
        """Of the bar: its epoch, the steps before that, its count."""
        self._bar_seen = False
        self._ended_at = -1
        self._printed: list[Said] = []
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
        if not self._bar_seen:
            for said in self._printed:
                self._log.reject(f"{next(iter(said.values), 'nothing')} is printed without a step")
        elif self._log.ended:  # no bar is drawn any more
            yield from self._place_printed()

    def _take(self, said: Said) -> Iterator[Point]:
        if said.printed:
            self._printed.append(said)
            self._note(said)
        elif said.count is None or said.epoch is not None:
            yield from self._take_placed(said)
        else:
            self._bar_seen = True
            yield from self._draw(said)

    def _draw(self, bar: Said) -> Iterator[Point]:
        """Give what was printed before a bar without an epoch was drawn anew."""
        if self._printed:
            self._step = bar.count or 0
            if any("loss" in said.values for said in self._printed):
                self._log.max_steps = bar.total or self._log.max_steps
            yield from self._place_printed()

    def _take_placed(self, said: Said) -> Iterator[Point]:
        if said.count == 0:  # the bar of the last epoch is wiped before the next one begins
            return
        self._move(said)
        self._note(said)
        for name, value in said.values.items():
            if classify(name)[0] == VALIDATION:
                if said.count is not None and _same(self._validated.get(name), value):
                    continue
                self._validated[name] = value if said.count is not None else _on_bar(value)
            yield self._step, name, value, _epoch(said), None

    def _place_printed(self) -> Iterator[Point]:
        for said in self._printed:
            for name, value in said.values.items():
                yield self._step, name, value, _epoch(said), None
        self._printed = []

    def _move(self, said: Said) -> None:
        if said.count is not None:
            epoch, base, count = self._epochs
            if said.epoch != epoch:
                goes_on = epoch is not None and said.epoch == epoch + 1
                base = base + count if goes_on else int(said.epoch or 0) * (said.total or 0)
            self._epochs = (said.epoch, base, said.count)
            self._step = min(base + said.count, LARGEST_STEP)
        if said.step is not None and said.step <= LARGEST_STEP:
            self._step = said.step

    def _note(self, said: Said) -> None:
        """Note what a line says of the run: its end, unless it goes on, its plan, an unfreeze."""
        if said.unfrozen and self._step not in self._log.unfreezes:
            self._log.unfreezes += (self._step,)
        if said.ended:
            self._ended_at = self._step
        self._log.ended = said.ended or (self._log.ended and self._step <= self._ended_at)
        self._log.max_steps = said.planned or self._log.max_steps


def _epoch(said: Said) -> float | None:
    return None if said.epoch is None else float(said.epoch)


def _on_bar(value: float) -> float:
    """Return a value as a bar shows it."""
    return float(f"{value:.3g}")


def _same(before: float | None, now: float) -> bool:
    return before is not None and (before == now or (before != before and now != now))
