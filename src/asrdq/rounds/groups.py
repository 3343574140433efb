"""Groups of utterances: by columns of the manifest and by duration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.errors import UsageError
from asrdq.rounds.paired import Floats, Integers
from asrdq.scoring.plan import DURATION_BUCKET, DURATION_BUCKETS

_EDGES_S = (5.0, 15.0)
MOST_GROUPS = 1_000
NONE = "(none)"


@dataclass(frozen=True, slots=True)
class Grouping:
    """A partition of the utterances.

    Attributes:
        by: The column, or a word for what it is.
        names: Name of each group.
        of_row: Number of the group of each utterance; −1 for none.
    """

    by: str
    names: tuple[str, ...]
    of_row: Integers


def everything(rows: int) -> Grouping:
    """Return one group of all utterances."""
    return Grouping("", ("all",), np.zeros(rows, np.int64))


def by_duration(duration_s: Floats) -> Grouping:
    """Return the groups under 5 s, from 5 s to below 15 s, and from 15 s on.

    Example:
        >>> by_duration(np.array([4.9, 5.0, 15.0, np.nan])).of_row
        array([ 0,  1,  2, -1])
    """
    bucket = np.digitize(duration_s, _EDGES_S).astype(np.int64)
    bucket[np.isnan(duration_s)] = -1
    return Grouping(DURATION_BUCKET, tuple(DURATION_BUCKETS), bucket)


def by_column(name: str, values: pa.ChunkedArray) -> Grouping:
    """Return a group for each value of a column, in the order of the values; null is one too.

    Raises:
        UsageError: It has more than 1,000 values, or values that are lists or records.
    """
    if pa.types.is_nested(values.type):
        raise UsageError(f"column '{name}' holds {values.type}, which cannot be grouped by")
    texts = pc.fill_null(values.cast(pa.string()), NONE).combine_chunks()
    names = sorted(pc.unique(texts).to_pylist())
    if len(names) > MOST_GROUPS:
        raise UsageError(
            f"column '{name}' has {len(names):,} values, more than {MOST_GROUPS:,}",
            hint="group by a column with fewer values",
        )
    place = pc.index_in(texts, pa.array(names, pa.string()))
    return Grouping(name, tuple(names), np.asarray(place).astype(np.int64))
