"""`asrdq plan`: what a training run will do, need and cost, before it is paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, ManifestArgument, WorkspaceOption
from asrdq.cli.output import Format, emit
from asrdq.errors import ExitCode

if TYPE_CHECKING:
    from asrdq.planning import Plan


def plan(
    manifest: ManifestArgument,
    recipe: Annotated[
        str, typer.Option("--recipe", "-r", metavar="NAME|FILE", help="`asrdq recipes` lists them.")
    ],
    gpus: Annotated[
        str, typer.Option("--gpus", "-g", metavar="NxGPU", help="Such as 2xA100-40, or l40s.")
    ],
    machine: Annotated[
        str | None,
        typer.Option("--machine", metavar="NAME", help="A machine of prices.yaml; default: first."),
    ] = None,
    clips_per_second: Annotated[
        float | None,
        typer.Option(
            "--clips-per-second",
            min=0.001,
            help="A speed that you measured, on all GPUs together, in place of a known one.",
        ),
    ] = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Plan a training run: rows kept, steps, memory, time, cost and disk.

    GPUs, speeds and prices are settings with dates; `hardware.yaml` and `prices.yaml` in the
    workspace are laid over the shipped ones. What is wrong or unwise is called out on stderr,
    and in the JSON under `findings`; with an error among it the exit code is 1.

    Example: `asrdq plan train --recipe qwen3-asr-gradual --gpus 2xA100-40`
    """
    from asrdq.planning import plan_training
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    result = plan_training(
        opened,
        opened.manifest(manifest),
        recipe,
        gpus,
        machine=machine,
        clips_per_second=clips_per_second,
    )
    emit(result, output)
    _tell(result)
    if result.errors:
        return ExitCode.FAILED
    console.next_step(f"asrdq gate {manifest}", "is this data worth it?")
    return ExitCode.OK


def _tell(result: Plan) -> None:
    for finding in result.findings:
        if finding.level == "note":
            console.say(f"note: {finding}", "dim")
        else:
            console.warn(f"{finding.level}: {finding}")
