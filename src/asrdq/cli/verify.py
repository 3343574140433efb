"""`asrdq verify`: what changed since a verdict was signed."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, PublicKeyOption, WorkspaceOption
from asrdq.cli.output import Format, emit_in_words


def verify(
    manifest: Annotated[
        str | None,
        typer.Argument(metavar="[MANIFEST]", help="`train` or `train@3`; default: all signed."),
    ] = None,
    public_key: PublicKeyOption = None,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="HASH", help="Hash of an entry that must be there, noted elsewhere."
        ),
    ] = None,
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Compare data, audio, evidence, policy, suites and ledger with what was signed.

    Exit codes: 0 nothing changed, 1 something did (it is named), 4 nothing was signed.

    Example: `asrdq verify train --public-key release.key.pub`
    """
    from asrdq.gates import read_public_key
    from asrdq.gates import verify as compare
    from asrdq.places import on_disk
    from asrdq.workspace import Workspace

    key = read_public_key(on_disk(public_key)) if public_key else None
    opened = Workspace.open(workspace)
    with console.progress("compare data and audio", None, "rows and files") as bar:
        result = compare(opened, manifest, public_key=key, head=head, advance=bar.advance)
    emit_in_words(result, format)
    if any(body.public_key for body in result.signoffs) and key is None:
        console.say("whose key it is was not checked: --public-key FILE does", "dim")
    name = (manifest or "train").partition("@")[0]
    if result.changes():
        console.next_step(f"asrdq gate {name}", "asks for a verdict on what is there now")
    else:
        console.next_step(
            f"asrdq handoff {name} --val val --recipe RECIPE --backend nemo --out bundle",
            "hands it to a trainer",
        )
    return int(result.exit_code())
