"""The answer to a question in SQL, as Arrow, Polars or pandas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Answer(Result):
    """The rows that a SELECT gave.

    `arrow()`, `pl()` and `df()` give them to Arrow, Polars and pandas.

    Attributes:
        query: The statement.
        rows: What it gave.
    """

    main_table: ClassVar[str] = "rows"

    query: str
    rows: pa.Table

    def summary(self) -> str:
        """Return the number of rows and the columns with their types."""
        columns = ", ".join(f"{field.name} {field.type}" for field in self.rows.schema)
        return f"{self.rows.num_rows:,} rows: {columns}"
