"""One line of steps out of logs that were begun again: what a resumed run wrote anew counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

KEY = ("split", "metric", "step")


@dataclass(frozen=True)
class Lineage:
    """Rows with one value a split, metric and step.

    Attributes:
        rows: What counts.
        superseded: Keys of what a resumption threw away and has not reached again.
        resumes: How often the log went back.
    """

    rows: pl.DataFrame
    superseded: pl.DataFrame
    resumes: int


def untangle(rows: pl.DataFrame) -> Lineage:
    """Return the present line of steps of rows in the order of writing.

    Where a metric of training goes back to an earlier step, the run was resumed there: what came
    from that step on before is superseded. A metric that repeats its present step is only logged
    twice; the last value counts.
    """
    import polars as pl

    numbered = rows.with_row_index("order")
    back = numbered.with_columns(
        pl.col("step").shift(1).over("split", "metric").alias("before")
    ).filter(pl.col("step") < pl.col("before"))
    cuts = _cuts(back)
    if not cuts:
        last = rows.unique(KEY, keep="last", maintain_order=True)
        return Lineage(last, rows.select(KEY).clear(), 0)
    kept = numbered
    for order, step in cuts:
        kept = kept.filter((pl.col("order") >= order) | (pl.col("step") < step))
    last = kept.unique(KEY, keep="last", maintain_order=True)
    gone = numbered.select(KEY).unique().join(last.select(KEY), on=KEY, how="anti")
    return Lineage(last.drop("order"), gone, len(cuts))


def _cuts(back: pl.DataFrame) -> list[tuple[int, int]]:
    """Return where the log goes back, and to which step.

    All metrics go back at a resumption, each when it is next logged; one that went back already
    tells of another resumption.
    """
    cuts: list[tuple[int, int]] = []
    seen: set[tuple[str, str]] = set()
    columns = back.sort("order").select("order", "step", "split", "metric")
    for order, step, split, metric in columns.iter_rows():
        if cuts and (split, metric) not in seen:
            cuts[-1] = (cuts[-1][0], min(cuts[-1][1], step))
            seen.add((split, metric))
        else:
            cuts.append((order, step))
            seen = {(split, metric)}
    return cuts
