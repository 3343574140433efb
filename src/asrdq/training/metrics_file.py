"""`metrics.csv` of a run: a line a step, whole lines only, and a new column when one comes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from asrdq.errors import ToolError
from asrdq.monitoring.logs import Log, frame
from asrdq.monitoring.readers.metrics_csv import INDEX, read_metrics_csv
from asrdq.workspace.files import whole_file

_UNFIT: Final = frozenset(',"\r\n\0')


class MetricsFile:
    """The file, as `asrdq watch` reads it.

    Args:
        path: Where it is; what a process that was killed has left there is gone on from.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._columns: list[str] = [*INDEX]

    def read(self) -> Log:
        """Return what it says; nothing where it is not there."""
        if not self.path.exists():
            return Log(self.path.name, frame(()))
        return read_metrics_csv(self.path, self.path.name)

    def cut(self, last_step: int) -> None:
        """Drop the lines after a step, and a last one that was never finished.

        Raises:
            ToolError: The file cannot be read or written.
        """
        lines = self._lines()
        found = lines[0] if lines else {}
        self._columns = [*INDEX, *(name for name in found if name and name not in INDEX)]
        self._write([line for line in lines if _step_of(line) <= last_step])

    def append(
        self, step: int, values: Mapping[str, float], epoch: float | None, wall_time: float
    ) -> None:
        """Write a line, which is on the disk of this machine when this returns.

        Raises:
            ValueError: A name cannot be that of a column.
            ToolError: The file cannot be written.
        """
        wrong = [name for name in values if _UNFIT & set(name) or name in INDEX or not name]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name of a metric")
        line = {
            "step": str(step),
            "epoch": "" if epoch is None else repr(float(epoch)),
            "wall_time": f"{wall_time:.3f}",
            **{name: repr(float(value)) for name, value in values.items()},
        }
        new = [name for name in values if name not in self._columns]
        if new or not self.path.exists():
            self._columns += new
            self._write([*self._lines(), line])
            return
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(_text([line], self._columns))
        except OSError as error:
            raise ToolError(
                f"cannot be written: {error.strerror or error}", where=str(self.path)
            ) from error

    def _lines(self) -> list[dict[str, str]]:
        """Return its whole lines, cells by column."""
        if not self.path.exists():
            return []
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise ToolError(
                f"cannot be read: {error.strerror or error}", where=str(self.path)
            ) from error
        whole = content[: content.rfind(b"\n") + 1].decode("utf-8", "replace")
        return list(csv.DictReader(io.StringIO(whole)))

    def _write(self, lines: Sequence[Mapping[str, str]]) -> None:
        with whole_file(self.path) as file:
            file.write((",".join(self._columns) + "\n" + _text(lines, self._columns)).encode())


def _text(lines: Iterable[Mapping[str, str]], columns: Sequence[str]) -> str:
    return "".join(",".join(line.get(name) or "" for name in columns) + "\n" for line in lines)


def _step_of(line: Mapping[str, str]) -> float:
    try:
        return int(line.get("step") or "")
    except ValueError:
        return math.inf
