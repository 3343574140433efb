"""The shape every library result has: Arrow tables, a summary, JSON and notebook views."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import html
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.errors import UsageError

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def plain(value: Any) -> Any:
    """Turn a value into JSON types: NaN and infinity into null, bytes to hex, tables to rows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    if hasattr(value, "to_pylist"):
        return plain(value.to_pylist())
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class Result:
    """Base of the frozen dataclasses that library functions return.

    A subclass names the field that holds its main Arrow table in `main_table` and writes
    `summary()`. The rest follows: `to_json()`, `pl()` and `df()` for Polars and pandas, the Arrow
    stream protocol (so that others read a result directly) and a notebook view.
    """

    schema_version: ClassVar[int] = 1
    main_table: ClassVar[str]

    def summary(self) -> str:
        """Return what a person wants to know, in a few lines of plain text."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON types, with `schema_version` first."""
        body = plain(self)
        assert isinstance(body, dict)
        return {"schema_version": self.schema_version, **body}

    def to_json(self) -> str:
        """Return the result as a JSON document that carries its `schema_version`."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    def arrow(self) -> pa.Table:
        """Return the main table of the result."""
        table: pa.Table = getattr(self, self.main_table)
        return table

    def pl(self) -> pl.DataFrame:
        """Return the main table as a Polars frame."""
        import polars as pl

        frame = pl.from_arrow(self.arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def df(self) -> Any:
        """Return the main table as a pandas frame.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            return self.arrow().to_pandas()
        except ModuleNotFoundError as error:
            raise UsageError(
                "pandas is not installed", hint="pip install pandas, or use .pl() or .arrow()"
            ) from error

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.arrow().__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.summary())}</pre>"
