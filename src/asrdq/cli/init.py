"""`asrdq init`: create a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where; made if it is not there.")
    ] = Path(),
) -> None:
    """Create a workspace: `asrdq.yaml` with every setting explained, a policy, a suite, folders.

    Files that are there already are left alone.

    Example: `asrdq init my-corpus`
    """
    from asrdq import console
    from asrdq.cli.output import emit
    from asrdq.workspace import Workspace

    made = Workspace.init(folder)
    emit(made)
    where = "" if folder == Path() else f"cd {folder} && "
    console.next_step(f"{where}asrdq ingest MANIFEST --name train", "read your manifest")
