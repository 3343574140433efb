"""`asrdq waive`: a person answers for a rule that does not hold."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import Format, emit
from asrdq.errors import UsageError

_HINT = "asrdq waive RULE --owner NAME --until 2027-01-31 --reason TEXT"


def waive(
    rule: Annotated[
        str | None,
        typer.Argument(metavar="[RULE]", help="The rule; without it, all waivers are listed."),
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="NAME", help="Who answers for it.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE", help="The last day it holds, such as 2027-01-31."),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")] = None,
    manifest: Annotated[
        str | None,
        typer.Option("--manifest", metavar="NAME", help="The manifest it is for; default: all."),
    ] = None,
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Set a rule of the gate aside until a day, or list the waivers.

    The verdict is then CAUTION at best, and names the waiver wherever it is shown. Rules that say
    that there is no evidence, or none that can be believed, cannot be waived.

    Example: `asrdq waive low_recall --owner Dana --until 2027-01-31 --reason "clips are short"`
    """
    from asrdq.gates import list_waivers
    from asrdq.gates import waive as write
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    if rule is None:
        listed = list_waivers(opened)
        emit(listed, format)
        if not listed.waivers.num_rows:
            console.next_step(_HINT, "there is no waiver yet")
        return
    day = _day(until)
    made = write(opened, rule, owner=owner or "", until=day, reason=reason or "", manifest=manifest)
    print(f"waived: {made}")
    console.next_step(f"asrdq gate {manifest or 'train'}", "gives CAUTION at best, and says so")


def _day(text: str | None) -> dt.date:
    """Return the last day of a waiver; refuse none, and what is no day of the calendar."""
    if text is None:
        raise UsageError("until when?", hint=_HINT)
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--until {text!r} is no day", hint="2027-01-31, for example") from error
