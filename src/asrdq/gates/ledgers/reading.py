"""Reading evidence that may be gone, cut short or edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import duckdb
import pyarrow as pa
from deltalake.exceptions import DeltaError

from asrdq.errors import AsrdqError
from asrdq.s3_errors import S3Error

T = TypeVar("T")

BROKEN = (
    *(duckdb.Error, DeltaError, pa.ArrowException),
    *(OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError),
)
"""What reading a table or file can raise that somebody edited.

DuckDB has a RuntimeError for names of columns that are no UTF-8.
"""


def first_line(error: BaseException) -> str:
    """Return what an exception says, on one line and not without end."""
    return " ".join(str(error).split())[:300]


def looked(look: Callable[[], T]) -> tuple[T | None, str]:
    """Return what looking at something gives, or why that is not possible: a change too.

    Raises:
        S3Error: The server cannot be reached: nobody knows whether anything changed.
    """
    try:
        return look(), ""
    except S3Error:
        raise
    except AsrdqError as error:
        return None, f"cannot be read: {' '.join(str(error).split())}"
    except BROKEN as error:
        return None, f"cannot be read: {first_line(error)}"
