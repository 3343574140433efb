"""`asrdq suite`: suites of expectations before a check runs them."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq.cli.options import FormatOption, ManifestArgument, WorkspaceOption
from asrdq.cli.output import FOR_PEOPLE, Format, emit, render
from asrdq.cli.verbs import new_group

suite = new_group()


@suite.callback()
def about() -> None:
    """Propose a suite of expectations from data, check suite files, or list them.

    Example: `asrdq suite infer train`
    """


@suite.command("infer")
def infer(
    manifest: ManifestArgument,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Of the suite; default: the manifest's."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite a suite of this name, edits and all.")
    ] = False,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Propose a suite from the data, as expectations/NAME.json, for a person to edit.

    Ranges with slack, sets of categories, uniqueness, speed of speech by language, shares of
    nulls: each fulfilled by the data. What more than a few rows fail is left out, and told.

    Example: `asrdq suite infer train --name train_v1`
    """
    from asrdq import console
    from asrdq.checks import infer_suite
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    result = infer_suite(opened, version, name, force=force, stage=console.progress)
    if output in FOR_PEOPLE:
        render(result.arrow(), output)
        console.say(result.summary())
    else:
        emit(result, output)
    console.next_step(f"asrdq check {version.name} --suite {result.suite}", "after editing it")


@suite.command("lint")
def lint(
    files: Annotated[list[str], typer.Argument(metavar="FILES…", help="Suite files (JSON).")],
) -> None:
    """Find every mistake in suite files, each with its line.

    What Great Expectations would pass over counts: unknown types and parameters, values of the
    wrong kind, a suite without expectations. Ends with 2 where there is one.

    Example: `asrdq suite lint expectations/ours.json`
    """
    from asrdq import console
    from asrdq.checks import lint_suites
    from asrdq.errors import counted
    from asrdq.places import place

    for read in lint_suites([place(file) for file in files]):
        console.say(f"{read.file} is sound: {counted(len(read.expectations), 'expectation')}")
    console.next_step(f"asrdq check train --suite {files[0]}", "runs it")


@suite.command("list")
def list_them(output: FormatOption = Format.TABLE, workspace: WorkspaceOption = ".") -> None:
    """List the suites of the workspace, and those that come along.

    Example: `asrdq suite list`
    """
    from asrdq import console
    from asrdq.checks import list_suites
    from asrdq.workspace import Workspace

    emit(list_suites(Workspace.open(workspace)), output)
    console.next_step("asrdq check train --suite NAME", "runs one")
