"""`asrdq watch`: read the logs of training runs, and say when one needs a person."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import FOR_PEOPLE, Format, emit
from asrdq.cli.training import show_runs, tell_news

if TYPE_CHECKING:
    from asrdq.monitoring import WatchPlan, WatchResult
    from asrdq.workspace import Workspace

RunsArgument = Annotated[
    list[str], typer.Argument(metavar="RUN…", help="Folders or log files of training runs.")
]
NameOption = Annotated[
    str | None, typer.Option("--name", help="Name of the run in the tables; default: its folder's.")
]
MetricOption = Annotated[
    str | None,
    typer.Option("--metric", help="The validation metric that is reported; default: asrdq.yaml."),
]
StepsOption = Annotated[
    int | None,
    typer.Option("--max-steps", min=1, help="Steps of the run, where its logs do not say so."),
]


def watch(
    runs: RunsArgument,
    name: NameOption = None,
    manifest: Annotated[
        str | None,
        typer.Option("--manifest", "-m", help="What they train on; its report shows the runs."),
    ] = None,
    metric: MetricOption = None,
    max_steps: StepsOption = None,
    unfreeze: Annotated[
        list[int] | None,
        typer.Option("--unfreeze", metavar="STEP", help="A step at which layers are unfrozen."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until the runs end, or a rule stops one.")
    ] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.1, metavar="SECONDS", help="How often to look.")
    ] = 30.0,
    idle: Annotated[
        float,
        typer.Option("--idle", min=0.1, metavar="SECONDS", help="How long nothing may be logged."),
    ] = 3600.0,
    stop_file: Annotated[
        str | None,
        typer.Option("--stop-file", metavar="FILE", help="Written when a stop rule fires."),
    ] = None,
    fail_on: Annotated[
        Literal["stop", "warning"],
        typer.Option("--fail-on", help="The mildest finding that exits with 1."),
    ] = "stop",
    html: Annotated[
        str | None,
        typer.Option("--html", metavar="FILE", help="Also write a page with the curves."),
    ] = None,
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Read the logs of training runs into tables, and say when one needs a person.

    It reads trainer_state.json, TensorBoard event files, Lightning's metrics.csv and console logs
    with progress bars, also while they grow. The same logs again add nothing to `train_runs` and
    `train_metrics`.

    Exit codes, in every format: 0 nothing that stops a run; 1 a stop rule fired (with `--fail-on
    warning` any warning); 4 the logs have nothing that a rule could judge, or stopped growing
    before the end.

    Example: `asrdq watch exp/run7 --follow --stop-file exp/run7/STOP`
    """
    from pathlib import Path

    from asrdq.monitoring import write_stop_file
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    plan = make_plan(opened, runs, name, manifest, metric, max_steps, unfreeze)
    result = _followed(opened, plan, every, idle) if follow else look(opened, plan)
    if stop_file and write_stop_file(result, Path(stop_file)):
        console.warn(f"a stop rule fired: {stop_file} is written")
    if html:
        _write_page(opened, result, html)
    if format in FOR_PEOPLE:
        show_runs(result, format)
    else:
        emit(result, format)
    _tell_problems(result)
    choose = f"asrdq checkpoints {shlex.quote(runs[0])}"
    console.next_step(choose, "says what to deploy, to resume and to go back to")
    return int(result.exit_code(fail_on))


def make_plan(
    opened: Workspace,
    runs: list[str],
    name: str | None,
    manifest: str | None,
    metric: str | None,
    max_steps: int | None,
    unfreeze: list[int] | None,
) -> WatchPlan:
    """Return what is to be watched, with the settings of the workspace."""
    from pathlib import Path

    from asrdq.monitoring import WatchPlan

    settings = opened.settings.watch
    if metric is not None:
        settings = settings.model_copy(update={"metric": metric})
    return WatchPlan(
        runs=[Path(run) for run in runs],
        name=name,
        manifest=manifest,
        max_steps=max_steps,
        unfreezes=tuple(unfreeze or ()),
        settings=settings,
    )


def look(opened: Workspace, plan: WatchPlan) -> WatchResult:
    """Watch once, with a progress bar over the files."""
    from asrdq.monitoring import watch as watch_once

    with console.progress("read logs", None, "files") as bar:
        return watch_once(opened, plan, advance=bar.advance)


def _followed(opened: Workspace, plan: WatchPlan, every: float, idle: float) -> WatchResult:
    """Follow runs, each news a line on stderr, and return the last look."""
    from asrdq.monitoring import follow

    last: WatchResult | None = None
    for result in follow(opened, plan, every_s=every, idle_s=idle):
        tell_news(last, result)
        last = result
    assert last is not None
    if last.quiet:
        console.warn(f"the logs have not grown for {idle:g} s; the run has not said that it ended")
    return last


def _write_page(opened: Workspace, result: WatchResult, html: str) -> None:
    from asrdq.places import place
    from asrdq.reporting import write_runs_page

    path = write_runs_page(opened, [run.run for run in result.runs], place(html))
    console.say(str(path), "dim")


def _tell_problems(result: WatchResult) -> None:
    for run in result.runs:
        for problem in run.problems[:5]:
            console.warn(f"{run.run}: {problem}")
        if run.unreadable > len(run.problems[:5]):
            console.warn(f"{run.run}: {run.unreadable} records in all could not be read")
