"""`asrdq tag`: names for versions of manifests."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import Format, emit
from asrdq.errors import UsageError


def tag(
    manifest: Annotated[
        str | None, typer.Argument(metavar="[MANIFEST]", help="`train` (the latest) or `train@4`.")
    ] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="[TAG]", help="The name; without it, tags are listed.")
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Take the tag away; the version stays.")
    ] = False,
    move: Annotated[
        bool, typer.Option("--move", help="Take the name from the version that has it.")
    ] = False,
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Give a version of a manifest a name, list the names, or take one away.

    A tag stands wherever a version can: `asrdq gate train@audited`, in SQL `"train@audited"`.

    Example: `asrdq tag train@4 audited`
    """
    from asrdq.versions import list_tags, tag_version, untag
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    if delete:
        base, found = split_tag(manifest, name)
        gone = untag(opened, base, found)
        console.say(f"{gone} is no longer; it was {gone.manifest}@{gone.version}")
        return
    if manifest is not None and name is not None:
        made = tag_version(opened, manifest, name, move=move)
        console.say(f"{made} is {made.manifest}@{made.version}")
        console.next_step(f"asrdq diff {made} {made.manifest}", "see what changed since")
        return
    listed = list_tags(opened, manifest)
    emit(listed, format)
    if not listed.tags:
        console.next_step(f"asrdq tag {manifest or 'train'} audited", "there is no tag yet")


def split_tag(manifest: str | None, name: str | None) -> tuple[str, str]:
    """Return manifest and tag of `train audited` or `train@audited`.

    Raises:
        UsageError: One of them is missing.
    """
    base, _, written = (manifest or "").partition("@")
    found = name or written
    if not base or not found:
        raise UsageError("which tag?", hint="asrdq tag train@audited --delete")
    return base, found
