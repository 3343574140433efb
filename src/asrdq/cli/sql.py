"""`asrdq sql`: ask the tables anything, read-only."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from asrdq.cli.options import WorkspaceOption


class SqlFormat(enum.StrEnum):
    """How the rows are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    PARQUET = "parquet"


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT, as DuckDB speaks it.")],
    format: Annotated[
        SqlFormat, typer.Option("--format", "-f", help="How the rows are written.")
    ] = SqlFormat.TABLE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file instead of standard output.")
    ] = None,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Ask the tables anything: manifests (`train`, `"train@3"`) and results (`audits`, `runs` …).

    It only reads, and reaches no files, network or settings. `SHOW TABLES` lists what there is.

    Example: `asrdq sql "SELECT speaker, sum(duration_s) / 3600 AS h FROM train GROUP BY 1"`
    """
    from asrdq.workspace import Workspace
    from asrdq.workspace.query_output import write_query

    write_query(Workspace.open(workspace), query, format.value, output)
