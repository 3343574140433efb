"""What people see: progress and advice on stderr, results on stdout in the format asked for.

Rich is imported only when something is drawn, so that importing this module costs nothing.
"""

from __future__ import annotations

import enum
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from asrdq.results import Result, plain

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

LINE_EVERY_S = 10.0
MAX_TABLE_ROWS = 50
UNFOLDED_WIDTH = 10_000
"""Width of tables that go to a file or a pipe: as wide as their values are."""

_state = {"quiet": False, "advice": True}


class Format(enum.StrEnum):
    """How a command writes its result to stdout."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def set_quiet(quiet: bool) -> None:
    """Turn progress, remarks and advice off (errors are always shown)."""
    _state["quiet"] = quiet


def is_quiet() -> bool:
    """Return whether progress, remarks and advice are off."""
    return _state["quiet"]


def stderr() -> Console:
    """Return a console that writes to the present stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Show a remark on stderr; Rich markup such as `[bold]` is rendered."""
    if not is_quiet():
        stderr().print(text)


def warn(text: str) -> None:
    """Show a warning on stderr, also when quiet; the text is shown as it is, without markup."""
    stderr().print(f"! {text}", style="yellow", markup=False)


def next_step(command: str, why: str = "") -> None:
    """Suggest the command that comes next, with a word on what it does."""
    from rich.markup import escape

    if not _state["advice"]:
        return
    tail = f"  [dim]{escape(why)}[/dim]" if why else ""
    say(f"[dim]next:[/dim] [bold]{escape(command)}[/bold]{tail}")


@contextmanager
def without_advice() -> Iterator[None]:
    """Suggest nothing inside: the next command is about to be given anyway."""
    _state["advice"] = False
    try:
        yield
    finally:
        _state["advice"] = True


class Progress(Protocol):
    """Handle of a running progress display."""

    def advance(self, amount: float = 1, **fields: object) -> None:
        """Count `amount` more units done; `fields` (as `speed="12 × real time"`) are shown."""


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
            yield _Bar(bars, bars.add_task(what, total=total, unit=unit, extra="", rate=""))
    else:
        lines = _Lines(what, total, unit)
        yield lines
        lines.write()


class _Silent:
    def advance(self, amount: float = 1, **fields: object) -> None:
        """Show nothing."""


class _Bar:
    def __init__(self, bars: Bars, task: TaskID) -> None:
        self._bars, self._task = bars, task
        self._unit = str(bars.tasks[task].fields["unit"])

    def advance(self, amount: float = 1, **fields: object) -> None:
        self._bars.advance(self._task, amount)
        speed = self._bars.tasks[self._task].speed
        rate = f"{_number(speed)} {self._unit}/s" if speed else ""
        self._bars.update(self._task, rate=rate)
        if fields:
            self._bars.update(self._task, extra=_extra(fields))


class _Lines:
    def __init__(self, what: str, total: float | None, unit: str) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._done, self._extra = 0.0, ""
        self._started = self._written = time.monotonic()

    def advance(self, amount: float = 1, **fields: object) -> None:
        self._done += amount
        if fields:
            self._extra = _extra(fields)
        if time.monotonic() - self._written >= LINE_EVERY_S:
            self.write()

    def write(self) -> None:
        self._written = time.monotonic()
        rate = self._done / max(self._written - self._started, 1e-9)
        done, unit = _number(self._done), self._unit
        parts = [f"{done} of {_number(self._total)} {unit}" if self._total else f"{done} {unit}"]
        parts.append(f"{_number(rate)} {unit}/s")
        if self._total and 0 < self._done < self._total:
            parts.append(f"{(self._total - self._done) / rate:.0f} s left")
        if self._extra:
            parts.append(self._extra)
        print(f"{self._what}: {', '.join(parts)}", file=sys.stderr, flush=True)


def _bars() -> Bars:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} {task.fields[unit]}"),
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


def emit(result: Result, output: Format = Format.TABLE) -> None:
    """Write a result to stdout: the whole of it as JSON, otherwise its main table."""
    if output is Format.JSON:
        print(result.to_json())
    else:
        render(result.arrow(), output)


def render(rows: pa.Table | Sequence[Mapping[str, Any]], output: Format = Format.TABLE) -> None:
    """Write rows to stdout as a table for people, JSON, CSV or Markdown.

    The table for people shows at most 50 rows and says how many more there are; the other
    formats are complete. Nested values are written as JSON in CSV.
    """
    if output is Format.CSV:
        _write_csv(rows)
        return
    records = rows if isinstance(rows, Sequence) else rows.to_pylist()
    names = list(records[0]) if isinstance(rows, Sequence) and records else _names(rows)
    if output is Format.JSON:
        print(json.dumps(plain(records), ensure_ascii=False))
    elif output is Format.MARKDOWN:
        _write_markdown(names, records)
    else:
        _write_table(names, records)


def _names(rows: pa.Table | Sequence[Mapping[str, Any]]) -> list[str]:
    return [] if isinstance(rows, Sequence) else list(rows.column_names)


def _write_csv(rows: pa.Table | Sequence[Mapping[str, Any]]) -> None:
    import polars as pl

    frame = pl.DataFrame(list(rows)) if isinstance(rows, Sequence) else pl.DataFrame(rows)
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    as_text = [
        pl.Series(
            name, [None if v is None else json.dumps(plain(v)) for v in frame[name].to_list()]
        )
        for name in nested
    ]
    sys.stdout.flush()
    frame.with_columns(as_text).write_csv(sys.stdout)


def _nested_text(value: Any) -> str | None:
    return None if value is None else json.dumps(plain(value), ensure_ascii=False)


def _write_markdown(names: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    print("| " + " | ".join(names) + " |")
    print("|" + " --- |" * len(names))
    for record in records:
        cells = (cell(record[name]).replace("|", "\\|").replace("\n", " ") for name in names)
        print("| " + " | ".join(cells) + " |")


def _write_table(names: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        values = [record[name] for record in records if record[name] is not None]
        numeric = bool(values) and all(
            isinstance(v, (int, float)) and not isinstance(v, bool) for v in values
        )
        drawn.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for record in records[:MAX_TABLE_ROWS]:
        drawn.add_row(*(Text(cell(record[name])) for name in names))
    width = None if sys.stdout.isatty() else UNFOLDED_WIDTH
    Console(file=sys.stdout, highlight=False, width=width).print(drawn)
    if len(records) > MAX_TABLE_ROWS:
        say(f"[dim]… {len(records) - MAX_TABLE_ROWS:,} more rows (--format csv gives all)[/dim]")


def cell(value: Any) -> str:
    """Return a value as a table shows it: empty for null, four significant digits for floats."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.1f}"
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(plain(value), ensure_ascii=False)
    return str(value)
