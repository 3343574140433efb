"""A run as its logs tell it: the best source of each metric, in one line of steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.errors import Problem
from asrdq.monitoring.lineage import KEY, Lineage, untangle
from asrdq.monitoring.logs import Log, rows_schema
from asrdq.monitoring.sources import Kind, Source, find_sources

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class RunLog:
    """What the logs of a run say now.

    Attributes:
        rows: One row a split, metric and step: columns of `rows_schema` and `file`.
        superseded: Keys of what a resumed run has not reached again.
        files: The logs, relative to the run.
        max_steps: How many steps it is to have; None where no log says so.
        ended: Whether a log says that it came to an end.
        unfreezes: Steps at which layers were unfrozen.
        resumes: How often it was resumed from an earlier step.
        problems: Records that could not be read, the first of each file.
        unreadable: How many these are in all.
    """

    rows: pl.DataFrame
    superseded: pl.DataFrame
    files: tuple[str, ...]
    max_steps: int | None
    ended: bool
    unfreezes: tuple[int, ...]
    resumes: int
    problems: tuple[Problem, ...]
    unreadable: int


@dataclass
class LogReader:
    """Reads the logs of a run, each again only where it has changed since.

    Attributes:
        run: The folder or file.
    """

    run: Path
    _read: dict[Path, tuple[tuple[int, int], Log]] = field(default_factory=dict)

    def read(self, advance: Callable[[int], None] = lambda _files: None) -> RunLog:
        """Return what the logs say now.

        Args:
            advance: Told of files that were read.

        Raises:
            UsageError: There is no run here, or no log in it.
            ToolError: A log cannot be read, or a package is missing that reads it.
        """
        sources = find_sources(self.run)
        logs = []
        for source in sources:
            logs.append((source.kind, self._log(source)))
            advance(1)
        return combine(logs)

    def _log(self, source: Source) -> Log:
        try:
            known = source.path.stat()
        except OSError:  # a checkpoint that was removed while its folder was listed
            return self._read[source.path][1] if source.path in self._read else source.read()
        sign = (known.st_size, known.st_mtime_ns)
        if source.path not in self._read or self._read[source.path][0] != sign:
            self._read[source.path] = (sign, source.read())
        return self._read[source.path][1]


def combine(logs: list[tuple[Kind, Log]]) -> RunLog:
    """Join logs of a run, sorted by kind, in the order of their writing.

    A metric that several kinds of logs have comes from the first of them: a state has all digits,
    a progress bar three.
    """
    import polars as pl

    names = {"split": pl.Categorical(), "metric": pl.Categorical()}
    rows = [pl.DataFrame(schema={**rows_schema(), "file": pl.String()})]
    gone = [pl.DataFrame(schema={**names, "step": pl.Int64()})]
    known, last, resumes = pl.DataFrame(schema=names), [], 0
    for kind, group in groupby(logs, key=lambda item: item[0]):
        ordered = _in_order(kind, [log for _, log in group])
        line = _line(kind, ordered)
        fresh = line.rows.join(known, on=list(names), how="anti", maintain_order="left")
        rows.append(fresh)
        gone.append(line.superseded.select("split", "metric", "step"))
        known = pl.concat([known, fresh.select(list(names)).unique()])
        resumes = max(resumes, line.resumes)
        last.append(ordered[-1])
    every = [log for _, log in logs]
    return RunLog(
        rows=pl.concat(rows),
        superseded=pl.concat(gone),
        files=tuple(log.file for log in every),
        max_steps=next((log.max_steps for log in last if log.max_steps), None),
        ended=any(log.ended for log in last),
        unfreezes=tuple(sorted({step for log in every for step in log.unfreezes})),
        resumes=resumes,
        problems=tuple(problem for log in every for problem in log.problems),
        unreadable=sum(log.unreadable for log in every),
    )


def _in_order(kind: Kind, logs: list[Log]) -> list[Log]:
    """Return logs of one kind in the order of writing.

    Each trainer state holds the whole history up to its step: the last reaches farthest. Event
    files begin at different times, the others have numbers in their names.
    """
    if kind is Kind.TRAINER_STATE:
        return sorted(logs, key=lambda log: (_reach(log), log.ended, log.rows.height))
    return sorted(logs, key=_begin) if kind is Kind.EVENTS else logs


def _line(kind: Kind, logs: list[Log]) -> Lineage:
    import polars as pl

    rows = pl.concat(log.rows.with_columns(pl.lit(log.file).alias("file")) for log in logs)
    if kind is not Kind.TRAINER_STATE:
        return untangle(rows)
    return Lineage(rows.unique(KEY, keep="last"), rows.select(KEY).clear(), 0)


def _reach(log: Log) -> int:
    return max(log.rows["step"], default=-1)


def _begin(log: Log) -> float:
    return next(iter(log.rows["wall_time"].drop_nulls()), 0.0)
