"""`asrdq history`: the versions of a manifest and what made them."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import Format, emit


def history(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A manifest.")],
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Show the versions of a manifest, the newest first: when, how large, what made them.

    For each it says how many rows were added, removed and changed against the version before; not
    where that would take reading more than five million rows.

    Example: `asrdq history train`
    """
    from asrdq.versions import manifest_history
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    with console.progress("history", None, "versions") as bar:
        found = manifest_history(opened, name, advance=bar.advance)
    emit(found, format)
    newest = found.entries[0].version
    if newest.version:
        console.next_step(
            f"asrdq diff {newest.name}@{newest.version - 1} {newest}", "see what changed"
        )
    else:
        console.next_step(f"asrdq tag {newest} NAME", "give this version a name")
