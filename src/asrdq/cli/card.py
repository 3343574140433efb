"""`asrdq card`: a model card from the tables, and its publication where that is asked for."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.options import ResultFormatOption, WorkspaceOption
from asrdq.cli.training_options import RunArgument


def card(
    run: RunArgument,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE", help="The card; default: RUN/README.md."),
    ] = None,
    license: Annotated[
        str | None,
        typer.Option("--license", metavar="ID", help="Licence of the model, as the hub spells it."),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            "--push",
            metavar="OWNER/NAME",
            help="Publish model and card there; without it nothing leaves this machine.",
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="A repository that is made can be seen by everybody.")
    ] = False,
    override: Annotated[
        str | None,
        typer.Option(
            "--override",
            metavar="WHY",
            help="Publish although something stands against it; it stands in card and table.",
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who answers for the override.")
    ] = None,
    output: ResultFormatOption = "table",
    workspace: WorkspaceOption = ".",
) -> None:
    """Write the card of a trained model from the tables; publish both only with `--push`.

    Its figures are those of `train_runs`, `train_metrics`, `handoffs`, `decisions`,
    `score_groups` and `comparisons`, with their runs. Scores count only where the hypotheses were
    made by exactly these weights. What is worse, and what was not measured, stands in it.

    With `--push` it is refused (exit code 1) where the gate was not green, criteria were missed or
    nothing was held out, unless `--override` and `--by` answer for it. A repository that is
    made is private.

    Example: `asrdq card exp/run7`, then `asrdq card exp/run7 --push our-team/asr-r2`
    """
    from asrdq.cards import CardPlan, write_card
    from asrdq.places import on_disk
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    plan = CardPlan(
        run_dir=on_disk(run),
        out=on_disk(out) if out else None,
        push=push,
        public=public,
        override=override,
        by=by,
        license=license,
    )
    result = write_card(opened, plan, stage=console.progress)
    print(result.to_json() if output == "json" else result.summary())
    if result.pushed_to is None and result.objections:
        console.next_step(result.objections[0].mend, "mends the first of what stands against it")
    elif result.pushed_to is None:
        again = f"asrdq card {shlex.quote(run)} --push OWNER/NAME"
        console.next_step(again, "publishes the model, if you want that")
