"""The bytes of a text column as they lie in memory: a quick look before a costly search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_PIECE_BYTES = 1 << 18


def memory_of(texts: pa.ChunkedArray) -> Iterator[NDArray[np.uint8]]:
    """Give the bytes of all texts, end to end, in pieces that overlap by one byte.

    There may be more than belongs to the texts: what is not found here is not in them, and
    what is found has to be searched for.
    """
    for chunk in texts.chunks:
        buffer = chunk.buffers()[2]
        if buffer is None:
            continue
        content = np.frombuffer(buffer, dtype=np.uint8)
        for start in range(0, len(content), _PIECE_BYTES):
            yield content[start : start + _PIECE_BYTES + 1]
