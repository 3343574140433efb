"""`asrdq init`: create a workspace."""

from __future__ import annotations

from typing import Annotated

import typer


def init(
    folder: Annotated[
        str,
        typer.Argument(metavar="[DIR]", help="Where: a folder, made if it is missing, or s3://…"),
    ] = ".",
) -> None:
    """Create a workspace: `asrdq.yaml` with every setting explained, a policy, a suite, folders.

    Files that are there already are left alone.

    Example: `asrdq init my-corpus`
    """
    from asrdq import console
    from asrdq.cli.output import emit
    from asrdq.places import is_remote
    from asrdq.workspace import Workspace

    made = Workspace.init(folder)
    emit(made)
    enter, option = ("", "") if folder == "." else (f"cd {folder} && ", "")
    if is_remote(folder):
        enter, option = "", f" -w {folder}"
    step = f"{enter}asrdq{option} ingest MANIFEST --name train"
    console.next_step(step, "read your manifest")
