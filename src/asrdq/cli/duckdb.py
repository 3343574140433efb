"""`asrdq duckdb`: a database of views for any DuckDB client."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import Format, emit


def duckdb(
    path: Annotated[str, typer.Argument(metavar="FILE", help="The database to write.")],
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Write a DuckDB file with a view for each table, manifest, version and tag.

    It holds no rows: the views name the files of the workspace by absolute paths, as they are now.
    Write it anew after an ingest, an audit or a move of the workspace.

    Example: `asrdq duckdb out.duckdb`
    """
    from asrdq.places import on_disk
    from asrdq.workspace import Workspace

    result = Workspace.open(workspace).write_database(on_disk(path))
    emit(result, format)
    console.say(f"{len(result.views)} views; write it anew after anything in the workspace changes")
    console.next_step(f"duckdb -readonly {path} 'SHOW TABLES'", "or open it in any client")
