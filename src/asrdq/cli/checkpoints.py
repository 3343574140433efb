"""`asrdq checkpoints`: which saved state of a run is good for what."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import FOR_PEOPLE, Format, emit, render
from asrdq.cli.training_options import RunArgument
from asrdq.cli.watch import MetricOption, NameOption, StepsOption, make_plan

if TYPE_CHECKING:
    from asrdq.monitoring import CheckpointsResult


def checkpoints(
    run: RunArgument,
    name: NameOption = None,
    metric: MetricOption = None,
    max_steps: StepsOption = None,
    keep: Annotated[
        int, typer.Option("--keep", min=1, help="How many of the best by the metric are kept.")
    ] = 3,
    previous: Annotated[
        str | None,
        typer.Option("--previous", metavar="HYPS", help="The deployed model's scored hypotheses."),
    ] = None,
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Say which saved state to deploy, to resume and to go back to, and what could be freed.

    The best by the reported metric, the best by loss, and whether they are the same. Nothing is
    deleted: what could be freed is listed. With `--previous` the plan for going back has the scores
    of the model that is deployed now.

    Exit codes: 0, or 4 where nothing was validated.

    Example: `asrdq checkpoints exp/run7 --previous r1`
    """
    from asrdq.monitoring import choose_checkpoints
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    plan = make_plan(opened, [run], name, None, metric, max_steps, None)
    result = choose_checkpoints(opened, plan, keep=keep, previous=previous)
    if format in FOR_PEOPLE:
        show(result, format)
    else:
        emit(result, format)
    if result.freed:
        console.next_step("asrdq checkpoints RUN --format json", "lists the paths to be freed")
    else:
        console.next_step(
            f"asrdq watch {shlex.quote(run)}", "shows the curves and what the rules say"
        )
    return int(result.exit_code)


def show(result: CheckpointsResult, output: Format) -> None:
    """Show the choice, the saved states, and the plan for going back."""
    head, *rest = [console.visible(line) for line in result.summary().splitlines()]
    if output is Format.MARKDOWN:
        print("\n".join([f"**{head}**", "", *(f"- {line}" for line in rest), ""]))
    else:
        print("\n".join([head, *rest, ""]))
    if result.saved:
        render(result.arrow(), output)
    plan = result.rollback
    print("\nto go back:" if output is Format.TABLE else "\nTo go back:\n")
    for place, step in enumerate(plan.steps(), start=1):
        print(f"{place}. {console.visible(step)}")
    if plan.remark:
        console.say(plan.remark, "dim")
