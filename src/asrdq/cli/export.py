"""`asrdq export`: write a manifest to a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from asrdq.cli.options import ManifestArgument, WorkspaceOption


def export(
    manifest: ManifestArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write; - for stdout.")],
    format_name: Annotated[
        str, typer.Option("--format", "-f", help="Format of the file: nemo, csv, tsv …")
    ] = "nemo",
    relative: Annotated[
        bool, typer.Option("--relative", help="Audio paths relative to the audio root.")
    ] = False,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Write a version of a manifest to a file, with every column under its original name.

    Example: `asrdq export train@3 --format nemo --out train.jsonl`
    """
    from asrdq import console
    from asrdq.manifests import export_manifest
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    target = sys.stdout.buffer if str(out) == "-" else out
    with console.progress("export", version.rows, "rows") as bar:
        result = export_manifest(
            opened, version, format_name, target, relative=relative, advance=bar.advance
        )
    console.say(result.summary())
