"""The answer to a question in SQL, as Arrow, Polars or pandas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.results import Result

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True)
class Answer(Result):
    """The rows that a SELECT gave.

    It speaks the Arrow stream protocol, so that Polars, pandas and DuckDB read it directly.

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

    def pl(self) -> pl.DataFrame:
        """Return the rows as a Polars frame."""
        import polars as pl

        frame = pl.from_arrow(self.rows)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def df(self) -> Any:
        """Return the rows as a pandas frame.

        Raises:
            UsageError: pandas is not installed.
        """
        from asrdq.errors import UsageError

        try:
            return self.rows.to_pandas()
        except ModuleNotFoundError as error:
            raise UsageError(
                "pandas is not installed", hint="pip install pandas, or use .pl() or .arrow()"
            ) from error
