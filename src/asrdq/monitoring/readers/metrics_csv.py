"""`metrics.csv`, as Lightning's CSVLogger and `asrdq train` write it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrdq.monitoring.logs import LARGEST_STEP, Log, frame, with_metrics

if TYPE_CHECKING:
    import polars as pl

INDEX: Final = ("step", "epoch", "wall_time")
"""Columns that are no metrics; all but the first may be absent, and Lightning has no times."""
_LINE: Final = "line"


def read_metrics_csv(path: Path, file: str) -> Log:
    """Read a CSV with a line a step: `step`, `epoch`, `wall_time`, and a column a metric.

    A last line without an end is being written and left for the next reading. A line without a
    step and a cell that is no number are rejected; the other cells of their line are read.

    Raises:
        OSError: The file cannot be read.
    """
    content = path.read_bytes()
    log = Log(file, frame(()))
    whole = content[: content.rfind(b"\n") + 1]
    if not whole.strip():
        return log
    table = _table(whole, log)
    if table is None:
        return log
    log.rows = _rows(table, log)
    return log


def _table(content: bytes, log: Log) -> pl.DataFrame | None:
    """Return all cells as text, with the number of their line."""
    import polars as pl

    try:
        table = pl.read_csv(
            io.BytesIO(content.replace(b"\0", b"\xef\xbf\xbd")),
            infer_schema=False,
            encoding="utf8-lossy",
            truncate_ragged_lines=True,
            quote_char=None,
            row_index_name=_LINE,
            row_index_offset=2,
        )
    except pl.exceptions.PolarsError as error:
        log.reject(f"is no CSV: {' '.join(str(error).split())[:200]}")
        return None
    table = table.rename({name: name.strip() for name in table.columns})
    if "step" not in table.columns:
        log.reject("has no column step", 1)
        return None
    return table


def _rows(table: pl.DataFrame, log: Log) -> pl.DataFrame:
    import polars as pl

    metrics = [name for name in table.columns if name not in (*INDEX, _LINE)]
    cells = table.with_columns(
        pl.col(name).str.strip_chars() for name in table.columns if name != _LINE
    )
    steps = cells["step"].cast(pl.Float64, strict=False)
    valid = (steps.is_between(0, LARGEST_STEP) & (steps == steps.floor())).fill_null(False)
    for line in cells.filter(~valid)[_LINE].to_list():
        log.reject("has no step", line)
    absent = [pl.lit(None).alias(name) for name in INDEX if name not in cells.columns]
    cells = cells.with_columns(absent).with_columns(
        steps.cast(pl.Int64, strict=False).alias("step"),
        pl.col("epoch", "wall_time").cast(pl.Float64, strict=False),
    )
    cells = cells.filter(valid)
    long = cells.unpivot(metrics, index=[_LINE, *INDEX], variable_name="name", value_name="cell")
    long = long.filter(pl.col("cell").fill_null("") != "")
    long = long.with_columns(pl.col("cell").cast(pl.Float64, strict=False).alias("value"))
    bad = long.filter(pl.col("value").is_null()).sort(_LINE)
    for line, name, cell in bad.select(_LINE, "name", "cell").iter_rows():
        log.reject(f"{name} is no number: {cell[:40]!r}", line)
    good = long.filter(pl.col("value").is_not_null()).sort(_LINE, maintain_order=True)
    return with_metrics(good)
