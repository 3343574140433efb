"""Rows that share a value of any group, directly or through others, form one component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
        owner, value, distinct = _values(group, values)
        again = np.flatnonzero(owner[1:] == owner[:-1]) + 1
        edges.append((value[again - 1], value[again]))
        if len(again):
            owner, value = np.delete(owner, again), np.delete(value, again)
        if values:
            known = node[owner] != _NONE
            edges.append((node[owner[known]], value[known]))
        node[owner] = value
        values += distinct
    return _numbers(node, edges, values)


def _values(
    group: pa.ChunkedArray, first: int
) -> tuple[NDArray[np.integer[Any]], NDArray[np.int64], int]:
    """Return the row and the number of each value that is not null, and how many numbers.

    Numbers count from `first`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    owner = None
    if pa.types.is_list(group.type):
        column = group.combine_chunks()
        owner = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
        group = pa.chunked_array([pc.list_flatten(column)])
    encoded = group.dictionary_encode()
    distinct = len(encoded.chunk(0).dictionary) if encoded.num_chunks else 0
    number = pa.chunked_array([chunk.indices for chunk in encoded.chunks], pa.int32())
    value = number.drop_null().to_numpy() + np.int64(first)
    if not number.null_count:
        return np.arange(len(value), dtype=np.int32) if owner is None else owner, value, distinct
    here = np.flatnonzero(number.is_valid().to_numpy())
    return here if owner is None else owner[here], value, distinct


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
