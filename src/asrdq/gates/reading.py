"""Reading evidence that may be gone, cut short or edited."""

from __future__ import annotations

import duckdb
import pyarrow as pa
from deltalake.exceptions import DeltaError

BROKEN = (
    *(duckdb.Error, DeltaError, pa.ArrowException),
    *(OSError, ValueError, KeyError, TypeError, AttributeError, IndexError),
)
"""What reading a table or file can raise that somebody edited."""


def first_line(error: BaseException) -> str:
    """Return what an exception says, on one line and not without end."""
    return " ".join(str(error).split())[:300]
