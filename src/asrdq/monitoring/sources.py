"""Which files of a run are logs, and who reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from asrdq.errors import ToolError, UsageError
from asrdq.monitoring.logs import Log
from asrdq.monitoring.readers.events import read_events
from asrdq.monitoring.readers.metrics_csv import read_metrics_csv
from asrdq.monitoring.readers.run_info import RUN_INFO, RUN_LOG, read_run_info
from asrdq.monitoring.readers.text_log import read_text_log
from asrdq.monitoring.readers.trainer_state import read_trainer_state

DEEPEST: Final = 6
"""Folders below the run in which logs are looked for."""


class NoLogError(UsageError):
    """There is no run at a place, or no log in it yet."""


class Kind(IntEnum):
    """Kinds of logs; of a metric that several have, the one that stands first here is taken."""

    TRAINER_STATE = 0
    CSV = 1
    EVENTS = 2
    TEXT = 3
    RUN_INFO = 4


@dataclass(frozen=True, slots=True)
class Source:
    """A log file of a run.

    Attributes:
        path: The file.
        file: Its name, relative to the run.
        kind: What it is.
    """

    path: Path
    file: str
    kind: Kind

    def read(self) -> Log:
        """Read it.

        Raises:
            ToolError: It cannot be read, or a package is missing that reads it.
        """
        try:
            return _READERS[self.kind](self.path, self.file)
        except OSError as error:
            raise ToolError(
                f"cannot be read: {error.strerror or error}", where=str(self.path)
            ) from error


_READERS: Final[dict[Kind, Callable[[Path, str], Log]]] = {
    Kind.TRAINER_STATE: read_trainer_state,
    Kind.CSV: read_metrics_csv,
    Kind.EVENTS: read_events,
    Kind.TEXT: read_text_log,
    Kind.RUN_INFO: read_run_info,
}

_OTHER_RANK: Final = re.compile(r"rank[-_]?(?!0(?:\D|$))\d+")
_NOT_TRAINING: Final = re.compile(r"(?:nemo_error_log|lightning_logs|debug|debug-internal)\b")


def find_sources(run: Path) -> list[Source]:
    """Return the logs of a run: a folder, or one file.

    Raises:
        NoLogError: There is no such place, or no log that can be read in it.
        UsageError: There are several runs in it.
    """
    if not run.exists():
        raise NoLogError("no such file or folder", where=str(run))
    if run.is_file():
        kind = _kind(run)
        return [Source(run, run.name, Kind.TEXT if kind is None else kind)]
    if (run / RUN_INFO).is_file():
        return _own(run)
    found = []
    for path in _files(run, DEEPEST):
        kind = _kind(path)
        if kind is not None:
            found.append(Source(path, str(path.relative_to(run)), kind))
    if not found:
        raise _nothing(run)
    _refuse_several(run, [source.path for source in found if source.kind is Kind.TRAINER_STATE])
    return sorted(found, key=lambda source: (source.kind, _natural(source.file)))


def _own(run: Path) -> list[Source]:
    """Return the log of a run of `asrdq train`: whatever its trainer logs besides, this has all."""
    log = run / RUN_LOG
    if not log.is_file():
        raise NoLogError("the run has logged nothing yet", where=str(run))
    own = ((log, Kind.CSV), (run / RUN_INFO, Kind.RUN_INFO))
    return [Source(path, path.name, kind) for path, kind in own]


def _files(folder: Path, depth: int) -> Iterator[Path]:
    try:
        items = sorted(folder.iterdir())
    except OSError as error:
        raise ToolError(f"cannot be read: {error.strerror}", where=str(folder)) from error
    for item in items:
        if item.is_dir() and not item.is_symlink() and depth:
            yield from _files(item, depth - 1)
        elif item.is_file():
            yield item


def _kind(path: Path) -> Kind | None:
    name = path.name
    if "trainer_state" in name and path.suffix == ".json":
        return Kind.TRAINER_STATE
    if ".tfevents." in name:
        return Kind.EVENTS
    if path.suffix == ".csv" and name.startswith("metrics"):
        return Kind.CSV
    text = path.suffix in (".log", ".out") or name.startswith("nemo_log")
    if text and not _OTHER_RANK.search(name) and not _NOT_TRAINING.match(name):
        return Kind.TEXT
    return None


def _refuse_several(run: Path, states: list[Path]) -> None:
    """Refuse a folder of folders that hold a run each; their steps would be mixed."""
    homes = {state.parent for state in states}
    homes = {home.parent if "checkpoint" in home.name else home for home in homes}
    if len(homes) > 1 and run not in homes:
        names = sorted(str(home) for home in homes)
        raise UsageError(
            f"there are {len(homes)} runs in this folder",
            where=str(run),
            hint=f"watch each by its own folder: asrdq watch {' '.join(names[:5])}",
        )


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Return a key that sorts `version_10` after `version_9`."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _nothing(run: Path) -> NoLogError:
    if any(path.suffix == ".wandb" for path in _files(run, DEEPEST)):
        return NoLogError(
            "the metrics are in a .wandb file, which no library reads without a W&B server",
            where=str(run),
            hint="log to TensorBoard or CSV as well; `wandb sync` uploads this run; "
            "files/output.log is read where the run kept it",
        )
    return NoLogError(
        "there is no log of a training run here",
        where=str(run),
        hint="trainer_state.json, *.tfevents.*, metrics*.csv, *.log, *.out and nemo_log* are read",
    )
