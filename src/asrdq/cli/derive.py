"""`asrdq derive`: a manifest from a query."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.options import JsonOption, WorkspaceOption
from asrdq.cli.output import render


def derive(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the manifest is called.")],
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="One SELECT that gives utt_id and audio_path.")
    ],
    max_reject_share: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Fail above this share of rejected rows."),
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = ".",
) -> None:
    """Make the rows that a query gives a new version of a manifest, and keep its lineage.

    The query is read-only SQL over the tables of the workspace. Rows are checked as in an ingest.
    The same content again makes no new version.

    Example: `asrdq derive long_train "SELECT * FROM train WHERE duration_s > 1"`
    """
    from asrdq.versions import derive_manifest
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    with console.progress("derive", None, "rows") as bar:
        result = derive_manifest(
            opened, name, query, max_reject_share=max_reject_share, advance=bar.advance
        )
    if as_json:
        print(result.to_json())
    else:
        made = result.manifest
        console.say(f"{made}: {made.rows:,} rows, {made.hours:,.2f} h; against its parents:")
        render(result.arrow().drop_columns(["fingerprint"]))
    for reason, count in result.rejected.items():
        console.warn(f"rejected {count:,} × {reason}")
    for note in result.notes:
        console.warn(note)
    if not result.new_version:
        console.say(f"{result.manifest} has exactly this content already: no new version")
    console.next_step(f"asrdq history {name}", "see where it came from")
