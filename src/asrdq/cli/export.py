"""`asrdq export`: write a manifest to a file."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from asrdq.cli.options import ManifestArgument, WorkspaceOption


def export(
    manifest: ManifestArgument,
    out: Annotated[
        str,
        typer.Option("--out", "-o", help="The file or folder to write, or s3://…; - for stdout."),
    ],
    format_name: Annotated[
        str, typer.Option("--format", "-f", help="Format: nemo, lhotse, kaldi, parquet, csv …")
    ] = "nemo",
    relative: Annotated[
        bool, typer.Option("--relative", help="Audio paths relative to the audio root.")
    ] = False,
    workspace: WorkspaceOption = ".",
) -> None:
    """Write a version of a manifest, with every column under its original name.

    Columns that the format has no place for are named.

    Example: `asrdq export train@3 --format nemo --out train.jsonl`
    """
    from asrdq import console
    from asrdq.manifests import export_manifest
    from asrdq.places import place
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    target = sys.stdout.buffer if out == "-" else place(out)
    with console.progress("export", version.rows, "rows") as bar:
        result = export_manifest(
            opened, version, format_name, target, relative=relative, advance=bar.advance
        )
    console.say(result.summary())
    if result.lost:
        console.warn(f"{result.format} has no place for {', '.join(result.lost)}: left out")
    for note in result.notes:
        console.warn(note)
    console.next_step("asrdq manifests", "see every manifest and its versions")
