"""Options that several verbs share, so that they read and behave the same everywhere."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from asrdq import console
from asrdq.cli.output import Format


def _named(ctx: typer.Context, workspace: str) -> str:
    """Have the commands that are suggested name the workspace where this one had to."""
    source = ctx.get_parameter_source("workspace")
    if source is not None and source.name in _TYPED:
        console.set_workspace(workspace)
    return workspace


_TYPED = ("COMMANDLINE", "DEFAULT_MAP")
"""Where an option comes from that stood after the verb, or before it."""

WorkspaceOption = Annotated[
    str,
    typer.Option(
        "--workspace",
        "-w",
        metavar="DIR",
        envvar="ASRDQ_WORKSPACE",
        callback=_named,
        help="The workspace: a folder, searched for upwards from here, or s3://…",
    ),
]

FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How the rows are written.")]
ResultFormatOption = Annotated[
    Literal["table", "json"], typer.Option("--format", "-f", help="How it is written.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]

SeedOption = Annotated[
    int | None, typer.Option("--seed", help="Seed of every random choice; default: asrdq.yaml.")
]

WorkersOption = Annotated[
    int, typer.Option("--workers", min=0, help="Worker processes; 0 means one per CPU core.")
]

EngineOption = Annotated[
    Literal["local", "ray"] | None,
    typer.Option("--engine", help="Where the work is done: on this machine or on Ray."),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="auto|HOST:PORT",
        help="The Ray cluster; without one Ray is started on this machine.",
    ),
]

ManifestArgument = Annotated[
    str, typer.Argument(metavar="MANIFEST", help="A manifest: `train`, or a version: `train@3`.")
]

NormaliserOption = Annotated[
    str, typer.Option("--normaliser", "-n", help="`asrdq normalise --list` names them.")
]

PolicyOption = Annotated[
    str | None,
    typer.Option("--policy", "-p", metavar="FILE", help="The policy; default: asrdq.yaml."),
]
PublicKeyOption = Annotated[
    str | None,
    typer.Option("--public-key", metavar="FILE", help="The key that must have signed, in PEM."),
]
