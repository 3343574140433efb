"""`asrdq manifests`: what manifests there are."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import Format


def manifests(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Show all versions of this one.")
    ] = None,
    all_versions: Annotated[bool, typer.Option("--all", help="Show every version of all.")] = False,
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """List the manifests: version, rows, hours, fingerprint, when, and from which files.

    Example: `asrdq manifests train`
    """
    from asrdq import console
    from asrdq.cli.output import emit
    from asrdq.manifests import list_manifests
    from asrdq.workspace import Workspace

    found = list_manifests(Workspace.open(workspace), name, all_versions=all_versions)
    emit(found, format)
    if found.versions:
        console.next_step(f"asrdq sql 'SELECT * FROM \"{found.versions[0].name}\" LIMIT 5'")
    else:
        console.next_step("asrdq ingest MANIFEST --name train", "there is no manifest yet")
