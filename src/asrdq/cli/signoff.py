"""`asrdq signoff`: a person accepts a verdict."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import Format, emit_in_words
from asrdq.errors import UsageError


def signoff(
    manifest: Annotated[
        str | None,
        typer.Argument(metavar="[MANIFEST]", help="A manifest: `train`, or a version: `train@3`."),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who accepts it.")] = None,
    note: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="What that person has to say.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why a STOP is overridden.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="Private Ed25519 key to sign with; default: the PEM text in $ASRDQ_SIGNING_KEY.",
        ),
    ] = None,
    new_key: Annotated[
        str | None,
        typer.Option(
            "--new-key", metavar="FILE", help="Make a key, FILE and FILE.pub, and do nothing else."
        ),
    ] = None,
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Accept the newest verdict on exactly the present content of a manifest.

    An entry of the ledger `signoffs` binds the name to data, evidence, policy, suites and tools;
    `asrdq verify` finds any change of them. CAUTION needs a sign-off, STOP a reason as well, and
    UNDECIDED cannot be accepted.

    Example: `asrdq signoff train --by "Dana Levi" --note "release 1.2" --key release.key`
    """
    from asrdq.gates import find_signer, sign_off, write_new_key
    from asrdq.places import on_disk
    from asrdq.workspace import Workspace

    if new_key is not None:
        public = write_new_key(on_disk(new_key))
        print(public)
        console.say(f"the private key is in {new_key}: keep it out of the repository")
        console.next_step(f"asrdq signoff train --by NAME --note TEXT --key {new_key}")
        return
    if manifest is None:
        raise UsageError("which manifest?", hint="asrdq signoff train --by NAME --note TEXT")
    signer = find_signer(on_disk(key) if key else None)
    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    with console.progress("compare data and audio", None, "rows and files") as bar:
        result = sign_off(
            opened,
            version,
            by=by or "",
            note=note or "",
            reason=reason,
            signer=signer,
            advance=bar.advance,
        )
    emit_in_words(result, format)
    console.next_step(f"asrdq verify {version.name} --head {result.hash}", "finds any change since")
