"""`asrdq sql`: ask the tables anything, read-only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import FOR_PEOPLE, Format, render, write
from asrdq.errors import UsageError


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT, as DuckDB speaks it.")],
    format: FormatOption = Format.TABLE,
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
    from asrdq.workspace.files import whole_file
    from asrdq.workspace.sandbox import user_query

    if output is not None and format in FOR_PEOPLE:
        raise UsageError(f"'{format}' is for the screen", hint="--format csv, json or parquet")
    with user_query(Workspace.open(workspace).store, query) as rows:
        if output is None:
            render(rows, format)
        else:
            with whole_file(output) as file:
                write(rows, format, file)
