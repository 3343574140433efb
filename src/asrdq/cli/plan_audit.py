"""`asrdq plan-audit`: what an audit will take and cost, and how much each size would tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.audit import AlignerOption, BatchOption, DeviceOption
from asrdq.cli.auditing import chosen_aligner
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import FOR_PEOPLE, Format, emit
from asrdq.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from asrdq.planning import AuditSpeed, Machines
    from asrdq.workspace import Workspace


def plan_audit(
    manifest: Annotated[
        str | None,
        typer.Argument(metavar="[MANIFEST]", help="A manifest, or leave it away for --hours."),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option("--hours", min=0.001, max=1e7, help="Hours of data not ingested yet."),
    ] = None,
    clips: Annotated[int | None, typer.Option("--clips", min=1, help="Its clips.")] = None,
    fraction: Annotated[
        list[float] | None,
        typer.Option(
            "--fraction",
            help="A size of the sample; again for more. Default: seven from 0.01 to 1.",
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            "--speed", min=0.001, max=1e6, help="× real time of one worker; default: measured."
        ),
    ] = None,
    measure: Annotated[
        int, typer.Option("--measure", min=2, help="Clips to measure the speed on.")
    ] = 16,
    aligner: AlignerOption = None,
    device: DeviceOption = None,
    batch_size: BatchOption = None,
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Workers in all; 0: the cores here.")
    ] = 0,
    machine: Annotated[
        str | None, typer.Option("--machine", metavar="NAME", help="A machine of prices.yaml.")
    ] = None,
    machines: Annotated[int, typer.Option("--machines", min=1, help="How many of them.")] = 1,
    usd_per_hour: Annotated[
        float | None, typer.Option("--usd-per-hour", min=0.0, max=1e5, help="What each costs.")
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", min=0.0, max=1.0, help="Share of low quality expected.")
    ] = 0.1,
    calibration: Annotated[
        bool, typer.Option("--calibration/--no-calibration", help="Whether faults are planted.")
    ] = True,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Plan an audit: hours, wall time, cost, and the interval that each size buys.

    The speed of a worker is measured on a few clips with the aligner that is asked for, or
    given. Prices are those of `asrdq plan`. Nothing is written.

    Example: `asrdq plan-audit train --workers 64 --machine brev-l40s --machines 16`
    """
    from asrdq import planning
    from asrdq.workspace import Workspace

    if (manifest is None) == (hours is None) or (hours is None) != (clips is None):
        raise UsageError("give a manifest, or --hours with --clips")
    opened = Workspace.open(workspace)
    priced = _machines(opened, workers, machine, machines, usd_per_hour)
    pace = _speed(opened, manifest, speed, measure, aligner, device, batch_size)
    fractions = tuple(fraction or planning.FRACTIONS)
    if manifest is not None:
        result = planning.plan_audit(
            opened,
            opened.manifest(manifest),
            pace,
            priced,
            fractions=fractions,
            rate=rate,
            calibrate=calibration,
        )
    else:
        assert hours is not None and clips is not None  # checked
        copied = opened.settings.audit.calibration_clips if calibration else 0
        result = planning.plan_hours(
            hours, clips, pace, priced, fractions=fractions, rate=rate, copied_clips=copied
        )
    if output in FOR_PEOPLE:
        print(result.summary())
    emit(result, output)
    _advise(manifest, opened.settings.sampling.fraction)
    return ExitCode.OK


def _machines(
    workspace: Workspace, workers: int, machine: str | None, count: int, usd: float | None
) -> Machines:
    from asrdq.engine.process import available_cores
    from asrdq.planning import Machines, read_prices

    if machine is not None and usd is not None:
        raise UsageError("--machine and --usd-per-hour are two prices", hint="give one of them")
    workers = workers or available_cores()
    if machine is not None:
        return Machines.priced(workers, count, machine, read_prices(workspace))
    return Machines(workers, count) if usd is None else Machines(workers, count, usd, "as given")


def _speed(
    workspace: Workspace,
    manifest: str | None,
    speed: float | None,
    clips: int,
    aligner: str | None,
    device: str | None,
    batch_size: int | None,
) -> AuditSpeed:
    from asrdq.cli.stages import stage
    from asrdq.planning import AuditSpeed, measure_speed

    if speed is not None:
        return AuditSpeed(speed, "as given")
    if manifest is None:
        raise UsageError("there is nothing to measure a speed on", hint="--speed 20")
    options = chosen_aligner(workspace.settings.audit, aligner, device, batch_size)
    return measure_speed(workspace, workspace.manifest(manifest), options, clips, stage)


def _advise(manifest: str | None, fraction: float) -> None:
    if manifest is None:
        console.next_step("asrdq ingest MANIFEST --name train", "once the data is there")
    else:
        command = f"asrdq sample {manifest} --fraction {fraction:g} && asrdq audit {manifest}"
        console.next_step(command, "draws the size of asrdq.yaml and audits it")
