"""Rows that share a value of any group, directly or through others, form one component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_NONE = -1


def components(groups: Sequence[pa.ChunkedArray], rows: int) -> NDArray[np.int64]:
    """Return a number for each row, equal for rows that belong together.

    Args:
        groups: A column each: a value a row, or a list of values a row. Null values, and nulls
            in lists, link nothing.
        rows: Number of rows.

    Returns:
        Numbers below twice the number of rows and values, shape (rows,).
    """
    node = np.full(rows, _NONE, np.int64)
    edges: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    values = 0
    for group in groups:
        owner, value, distinct = _values(group)
        value += values
        values += distinct
        first = np.ones(len(owner), bool)
        first[1:] = owner[1:] != owner[:-1]
        same_row = np.flatnonzero(~first)
        edges.append((value[same_row - 1], value[same_row]))
        holders, lead = owner[first], value[first]
        known = node[holders] != _NONE
        edges.append((node[holders[known]], lead[known]))
        node[holders] = lead
    return _numbers(node, edges, values)


def _values(group: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the row and the number of each value that is not null, and how many numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = group.combine_chunks()
    if pa.types.is_list(column.type):
        owner = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
        column = pc.list_flatten(column)
    else:
        owner = np.arange(len(column))
    encoded = column.dictionary_encode()
    here = column.is_valid().to_numpy(zero_copy_only=False)
    value = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    return owner[here].astype(np.int64), value[here].astype(np.int64), len(encoded.dictionary)


def _numbers(
    node: NDArray[np.int64],
    edges: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    values: int,
) -> NDArray[np.int64]:
    start = np.concatenate([one for one, _ in edges]) if edges else np.empty(0, np.int64)
    number = node
    if len(start):
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        end = np.concatenate([other for _, other in edges])
        graph = coo_array((np.ones(len(start), np.int8), (start, end)), shape=(values, values))
        _, label = connected_components(graph, directed=False)
        number = np.where(node == _NONE, _NONE, label[node]).astype(np.int64)
    alone = np.flatnonzero(node == _NONE)
    number[alone] = values + np.arange(len(alone))
    return number
