"""`asrdq diff`: what changed between two versions."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import Format, emit, render
from asrdq.errors import ExitCode

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.versions import DiffResult


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="The older: `train@3`.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The newer: `train@4`, or `train`.")],
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="COLUMN[,COLUMN…]", help="Columns whose values are strata."),
    ] = None,
    rows: Annotated[
        bool, typer.Option("--rows", help="List each row, with every field before and after.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where there is a difference.")
    ] = False,
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Say what changed between two versions of manifests: rows and hours added, removed, changed.

    Rows belong together where their ids agree. With `--rows` or in CSV and Parquet the output is
    one table; JSON without `--rows` is the whole result.

    Example: `asrdq diff train@3 train@4 --by domain`
    """
    from asrdq.versions import changed_rows, diff_manifests
    from asrdq.versions.diff import STEPS
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    older, newer = opened.manifest(before), opened.manifest(after)
    columns = [name.strip() for name in by.split(",")] if by else []
    with ExitStack() as stack:
        with console.progress("diff", STEPS, "steps") as bar:
            if rows:
                listed = changed_rows(opened, older, newer, by=columns, advance=bar.advance)
                result, reader = stack.enter_context(listed)
            else:
                result = diff_manifests(opened, older, newer, by=columns, advance=bar.advance)
        if rows:
            render(reader, format)
        elif format in (Format.TABLE, Format.MARKDOWN):
            show(result, format)
        else:
            emit(result, format)
    for note in result.notes:
        console.warn(note)
    if result.differs and not rows:
        console.next_step(f"asrdq diff {before} {after} --rows", "see the rows")
    return int(ExitCode.FAILED if exit_code and result.differs else ExitCode.OK)


def show(result: DiffResult, output: Format) -> None:
    """Show the totals, the fields that changed, and the strata where there are any."""
    render(totals(result), output)
    fields = changed_fields(result)
    if fields.num_rows:
        render(fields, output)
    if result.by:
        render(result.strata, output)


def totals(result: DiffResult) -> pa.Table:
    """Return a row for each kind of change."""
    import pyarrow as pa

    amounts = result.totals()
    return pa.table(
        {
            f"{result.before} → {result.after}": list(amounts),
            "rows": [amount.rows for amount in amounts.values()],
            "hours": [amount.hours for amount in amounts.values()],
        }
    )


def changed_fields(result: DiffResult) -> pa.Table:
    """Return a row for each field that differs in some row, or that one side does not have."""
    import pyarrow as pa

    changed = [row for row in result.fields.to_pylist() if row["rows"]]
    for version, names in (
        (result.before, result.only_before),
        (result.after, result.only_after),
    ):
        changed += [{"field": f"{name} (only {version} has it)"} for name in names]
    return pa.Table.from_pylist(changed, schema=result.fields.schema)
