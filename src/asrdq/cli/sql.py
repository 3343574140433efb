"""`asrdq sql`: ask the tables anything, read-only."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from asrdq.cli.options import WorkspaceOption
from asrdq.cli.output import FOR_PEOPLE, Format, render, write
from asrdq.errors import UsageError
from asrdq.places import place


def sql(
    query: Annotated[
        str | None, typer.Argument(metavar="[QUERY]", help="One SELECT, as DuckDB speaks it.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", "-f", help="A file with the SELECT; - for stdin.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="A value for $NAME; repeat it."),
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", help="How the rows are written.")
    ] = Format.TABLE,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A file instead of standard output.")
    ] = None,
    workspace: WorkspaceOption = ".",
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
    statement = statement_of(query, file)
    parameters = dict(map(parameter, param or []))
    with user_query(Workspace.open(workspace).store, statement, parameters) as rows:
        if output is None:
            render(rows, format)
        else:
            with whole_file(place(output)) as stream:
                write(rows, format, stream)


def statement_of(query: str | None, file: str | None) -> str:
    """Return the statement of the command line or of a file.

    Raises:
        UsageError: There is none or there are two, or the file cannot be read.
    """
    meant = f"--format {file} is how rows are written" if file in set(Format) else None
    if file is None and query is not None:
        return query
    if file is None or query is not None:
        hint = meant or "asrdq sql 'SHOW TABLES'"
        raise UsageError("say one of QUERY and --file FILE", hint=hint)
    if file == "-":
        return sys.stdin.read()
    try:
        return place(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"cannot be read: {reason}", where=file, hint=meant) from error


def parameter(text: str) -> tuple[str, str]:
    """Return name and value of `name=value`.

    Raises:
        UsageError: It has no name or no equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"--param '{text}' is not NAME=VALUE", hint="--param minimum_s=5, say")
    return name, value
