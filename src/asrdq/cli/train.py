"""`asrdq train`: a bundle becomes a model, or goes on becoming one."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.options import ResultFormatOption, WorkspaceOption
from asrdq.cli.training_options import AllowOption, BaseOption, DeviceOption
from asrdq.cli.workspaces import workspace_if_any

if TYPE_CHECKING:
    from asrdq.training import TrainingResult, TrainPlan


def train(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="The folder that `asrdq handoff` has written.")
    ],
    backend: Annotated[
        str | None,
        typer.Option("--backend", "-b", help="`nemo`, `qwen`; default: what it was handed to."),
    ] = None,
    run_dir: Annotated[
        str | None,
        typer.Option(
            "--run-dir",
            metavar="DIR",
            envvar="ASRDQ_RUN_DIR",
            help="Where everything goes; default: BUNDLE.run.",
        ),
    ] = None,
    device: DeviceOption = "auto",
    base: BaseOption = None,
    allow: AllowOption = None,
    max_steps: Annotated[
        int | None,
        typer.Option("--max-steps", min=1, help="End after so many steps, if the recipe has more."),
    ] = None,
    loader_tolerance: Annotated[
        float,
        typer.Option(
            "--loader-tolerance",
            min=0.0,
            max=1.0,
            help="Share of the rows by which the loader may differ from the hand-off.",
        ),
    ] = 0.0,
    bundle_id: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="HASH",
            envvar="ASRDQ_BUNDLE_ID",
            help="The id that the hand-off has shown.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the run in the tables; default: folder's.")
    ] = None,
    rehearse: Annotated[
        bool,
        typer.Option("--rehearse", help="A few steps of a tiny model, to see that all of it runs."),
    ] = False,
    preflight: Annotated[
        bool,
        typer.Option(
            "--preflight", help="Only find out what fits this machine, and what is slow on it."
        ),
    ] = False,
    output: ResultFormatOption = "table",
    workspace: WorkspaceOption = ".",
) -> int:
    """Train the model of a bundle, on exactly what was handed off.

    The bundle is verified, recipe and data are held against the lint, and the loader against the
    rows that were handed off. The rules of `asrdq watch` are asked while it trains. Killed at any
    moment, the same command goes on; of a finished run it says so. With a workspace the run is
    kept in `train_runs` and `train_metrics` too.

    `--preflight` searches the largest batch that trains here, estimates buckets of clips of like
    length, and holds the rate of the loader against that of the steps.

    Exit codes: 0 finished, 1 refused or stopped by a rule or a stop file, 130 after Ctrl-C, 143
    after SIGTERM: both leave a checkpoint.

    Example: `asrdq train bundle/ --run-dir exp/run7 --id 4f1c…`
    """
    from pathlib import Path

    from asrdq.places import on_disk
    from asrdq.training import TrainPlan
    from asrdq.training import train as run
    from asrdq.training.plan import rank_of

    plan = TrainPlan(
        bundle=on_disk(bundle),
        backend=backend,
        run_dir=Path(run_dir) if run_dir else None,
        device=device,
        base=base,
        allow=frozenset(allow or ()),
        max_steps=max_steps,
        loader_tolerance=loader_tolerance,
        bundle_id=bundle_id,
        name=name,
        rehearse=rehearse,
    )
    if preflight:
        return _preflight(plan, bundle, output)
    first = rank_of() == 0
    if not first:
        console.set_quiet(True)
    result = run(plan, workspace_if_any(workspace), stage=console.progress)
    if first:
        print(result.to_json() if output == "json" else result.summary())
        _advise(result, bundle)
    return result.exit_code


def _preflight(plan: TrainPlan, bundle: str, output: str) -> int:
    from asrdq.errors import UsageError
    from asrdq.training.preflight import look_before

    if plan.rehearse:
        raise UsageError("--preflight looks, and --rehearse trains: one of them")
    report = look_before(plan, stage=console.progress)
    print(report.to_json() if output == "json" else report.summary())
    if report.ready:
        console.next_step(f"asrdq train {shlex.quote(bundle)}", "it fits, and does not wait")
    else:
        console.next_step("asrdq handoff …", "with a recipe that suits this machine")
    return 0 if report.ready else 1


def _advise(result: TrainingResult, bundle: str) -> None:
    info, quoted = result.info, shlex.quote(bundle)
    if result.finished and info.rehearsal:
        console.next_step(f"asrdq train {quoted}", "trains the model of the recipe")
    elif result.finished and info.model is not None:
        manifest, model = info.validation.manifest, shlex.quote(info.model.path)
        console.next_step(
            f"asrdq transcribe {manifest} --with {info.backend}:{model}",
            "round N + 1: then score and compare",
        )
    elif result.exit_code > 1:
        console.next_step(f"asrdq train {quoted}", "goes on from the last checkpoint")
    else:
        console.next_step(
            f"asrdq checkpoints {shlex.quote(result.run_dir)}",
            "says what to deploy, to resume and to go back to",
        )
