"""What a reader of logs gives: rows, facts about the run, and what it could not read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from asrdq.errors import Problem
from asrdq.monitoring.names import classify, in_unit

if TYPE_CHECKING:
    import polars as pl

LARGEST_STEP: Final = 2**53
_LATEST_TIME_S: Final = 4e9
MOST_PROBLEMS: Final = 100
"""Of one file; what comes after them is counted and not told."""


Point: TypeAlias = tuple[int, str, float, float | None, float | None]
"""A value as it stands in a log: step, name, value, epoch, time."""


@dataclass
class Log:
    """What one file of a run says.

    Attributes:
        file: Its name, relative to the run.
        rows: Its values in the order of the file, columns `ROWS`.
        max_steps: How many steps the run is to have; None where the file does not say.
        ended: Whether it says that the run came to an end.
        unfreezes: Steps at which it says that layers were unfrozen.
        problems: Records that could not be read.
        unreadable: How many these are.
    """

    file: str
    rows: pl.DataFrame
    max_steps: int | None = None
    ended: bool = False
    unfreezes: tuple[int, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    unreadable: int = 0

    def reject(self, message: str, line: int | None = None) -> None:
        """Note a record that could not be read."""
        self.unreadable += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(message, self.file, line))


def rows_schema() -> dict[str, pl.DataType]:
    """Return the columns of the rows of a log; `wall_time` is in seconds since 1970."""
    import polars as pl

    return {
        "step": pl.Int64(),
        "epoch": pl.Float64(),
        "split": pl.Categorical(),
        "metric": pl.Categorical(),
        "value": pl.Float64(),
        "wall_time": pl.Float64(),
        "name": pl.Categorical(),
    }


def frame(points: Iterable[Point]) -> pl.DataFrame:
    """Return points as rows, in their order."""
    import polars as pl

    columns: Sequence[Sequence[object]] = list(zip(*points, strict=True)) or [[] for _ in range(5)]
    step, name, value, epoch, wall_time = columns
    raw = pl.DataFrame(
        {"step": step, "name": name, "value": value, "epoch": epoch, "wall_time": wall_time},
        schema={
            "step": pl.Int64(),
            "name": pl.Categorical(),
            "value": pl.Float64(),
            "epoch": pl.Float64(),
            "wall_time": pl.Float64(),
        },
    )
    return with_metrics(raw)


def with_metrics(raw: pl.DataFrame) -> pl.DataFrame:
    """Return rows that have `name` with split and metric, in the units of these.

    Times that cannot be are left out; they come from machines whose clock was never set.
    """
    import polars as pl

    raw = raw.with_columns(pl.col("name").cast(pl.Categorical))
    names = raw["name"].unique().to_list()
    known = pl.DataFrame(
        {
            "name": names,
            "split": [classify(name)[0] for name in names],
            "metric": [classify(name)[1] for name in names],
        },
        schema={name: pl.Categorical() for name in ("name", "split", "metric")},
    )
    rows = raw.join(known, on="name", how="left", maintain_order="left")
    for metric in known["metric"].unique():
        rows = rows.with_columns(in_unit(metric))
    valid = pl.col("wall_time").is_between(0.0, _LATEST_TIME_S)
    rows = rows.with_columns(pl.when(valid).then(pl.col("wall_time")).alias("wall_time"))
    return rows.select(list(rows_schema()))
