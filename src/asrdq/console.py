"""What people see on stderr while they wait: progress, remarks and advice.

Rich is imported only when something is drawn, so that importing this module costs nothing.
"""

from __future__ import annotations

import re
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

LINE_EVERY_S = 10.0

_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
_PICTURES |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)

_COMMAND = re.compile(r"(?:^|(?<=&& ))asrdq ")


@dataclass
class _State:
    quiet: bool = False
    advice: bool = True
    workspace: str | None = None


_state = _State()


def set_quiet(quiet: bool) -> None:
    """Turn progress, remarks and advice off (errors are always shown)."""
    _state.quiet = quiet


def set_workspace(workspace: str | None) -> None:
    """Name a workspace in the commands that are suggested; None where it is found without."""
    _state.workspace = workspace


def is_quiet() -> bool:
    """Return whether progress, remarks and advice are off."""
    return _state.quiet


def stderr() -> Console:
    """Return a console that writes to the present stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def visible(text: str) -> str:
    """Return a text of the data as a terminal can show it: control characters as pictures.

    They would clear the screen, move the cursor, or change colours.
    """
    return text.translate(_PICTURES)


def say(text: str, style: str | None = None) -> None:
    """Show a remark on stderr, in a style of Rich; the text is shown as it is, without markup."""
    if not is_quiet():
        stderr().print(visible(text), style=style, markup=False)


def warn(text: str) -> None:
    """Show a warning on stderr, also when quiet; the text is shown as it is, without markup."""
    stderr().print(f"! {visible(text)}", style="yellow", markup=False)


def next_step(command: str, why: str = "") -> None:
    """Suggest the command that comes next; what it does stands below it.

    It is the end of its line, to be copied as it is: not every shell takes comments.
    """
    from rich.text import Text

    if not _state.advice or is_quiet():
        return
    if _state.workspace is not None:
        named = f"asrdq -w {shlex.quote(_state.workspace)} "
        command = _COMMAND.sub(lambda _: named, command)
    step = Text.assemble(("next:", "dim"), " ", (visible(command), "bold"))
    stderr().print(step.append(f"\n      {visible(why)}" if why else "", "dim"))


@contextmanager
def without_advice() -> Iterator[None]:
    """Suggest nothing inside: the next command is about to be given anyway."""
    _state.advice = False
    try:
        yield
    finally:
        _state.advice = True


class Progress(Protocol):
    """Handle of a running progress display."""

    def advance(self, amount: float = 1, **fields: object) -> None:
        """Count `amount` more units done; `fields` (as `speed="12 × real time"`) are shown."""

    def skip(self, amount: float) -> None:
        """Count `amount` more units that were done before: they are no part of the rate."""


Stage = Callable[[str, float | None, str], AbstractContextManager[Progress]]
"""Shows a stage of some work as `progress` does, which is one."""


@contextmanager
def silent(what: str, total: float | None, unit: str) -> Iterator[Progress]:
    """Show nothing of a stage."""
    yield _Silent()


@contextmanager
def progress(what: str, total: float | None, unit: str) -> Iterator[Progress]:
    """Show how far a task is: count, rate and time left.

    On a terminal this is a bar; elsewhere a plain line about every ten seconds and one at the
    end. Nothing is shown when quiet.

    Args:
        what: The task in a word or two, such as `probe`.
        total: Number of units, None where it is not known.
        unit: Name of the units in the plural, such as `clips`.
    """
    if is_quiet():
        yield _Silent()
    elif sys.stderr.isatty():
        with _bars() as bars:
            task = bars.add_task(what, total=total, unit=unit, extra="", rate="", count="")
            yield _Bar(bars, task)
    else:
        lines = _Lines(what, total, unit)
        yield lines
        lines.end()


class _Silent:
    def advance(self, amount: float = 1, **fields: object) -> None:
        """Show nothing."""

    def skip(self, amount: float) -> None:
        """Show nothing."""


class _Bar:
    def __init__(self, bars: Bars, task: TaskID) -> None:
        self._bars, self._task = bars, task
        self._unit = str(bars.tasks[task].fields["unit"])
        self._skipped = 0.0

    def advance(self, amount: float = 1, **fields: object) -> None:
        self._bars.advance(self._task, amount)
        self._show()
        if fields:
            self._bars.update(self._task, extra=_extra(fields))

    def skip(self, amount: float) -> None:
        self._skipped += amount
        total = self._bars.tasks[self._task].total
        self._bars.update(self._task, total=None if total is None else total - amount)
        self._show()

    def _show(self) -> None:
        task = self._bars.tasks[self._task]
        rate = f"{_number(task.speed)} {self._unit}/s" if task.speed else ""
        of_all = "" if task.total is None else f"/{_number(task.total + self._skipped)}"
        count = f"{_number(task.completed + self._skipped)}{of_all} {self._unit}"
        self._bars.update(self._task, rate=rate, count=count)


class _Lines:
    def __init__(self, what: str, total: float | None, unit: str) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._done, self._skipped, self._extra = 0.0, 0.0, ""
        self._started = self._written = time.monotonic()

    def advance(self, amount: float = 1, **fields: object) -> None:
        self._done += amount
        if fields:
            self._extra = _extra(fields)
        self._write_in_time()

    def skip(self, amount: float) -> None:
        self._done += amount
        self._skipped += amount
        self._write_in_time()

    def _write_in_time(self) -> None:
        if time.monotonic() - self._written >= LINE_EVERY_S:
            self.write()

    def end(self) -> None:
        """Write the last line; nothing of a task without a known size that had nothing to do."""
        if self._done or self._total is not None:
            self.write()

    def write(self) -> None:
        self._written = time.monotonic()
        rate = (self._done - self._skipped) / max(self._written - self._started, 1e-9)
        done, unit = _number(self._done), self._unit
        parts = [f"{done} of {_number(self._total)} {unit}" if self._total else f"{done} {unit}"]
        if self._skipped:
            parts.append(f"{_number(self._skipped)} of them known before")
        if rate or not self._done:
            parts.append(f"{_number(rate)} {unit}/s")
        if self._total and rate and self._done < self._total:
            parts.append(f"{(self._total - self._done) / rate:.0f} s left")
        if self._extra:
            parts.append(self._extra)
        print(f"{self._what}: {', '.join(parts)}", file=sys.stderr, flush=True)


def _bars() -> Bars:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[extra]}"),
        console=stderr(),
        transient=True,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


def _extra(fields: Mapping[str, object]) -> str:
    return ", ".join(str(value) for value in fields.values())
