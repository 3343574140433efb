"""`asrdq calibrate`: fit thresholds for an aligner and keep them in asrdq.yaml."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.audit import AlignerOption, BatchOption, DeviceOption
from asrdq.cli.options import (
    AddressOption,
    EngineOption,
    FormatOption,
    ManifestArgument,
    SeedOption,
    WorkersOption,
    WorkspaceOption,
)
from asrdq.cli.output import Format, emit_in_words
from asrdq.errors import ExitCode, UsageError


def calibrate(
    manifest: ManifestArgument,
    aligner: AlignerOption = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="COLUMN", help="A threshold for each value of a column, as domain."
        ),
    ] = None,
    false_alarms: Annotated[
        str | None,
        typer.Option(
            "--false-alarms",
            metavar="SHARE",
            help="Share of right clips that may be flagged, 3% or 0.03; default: asrdq.yaml.",
        ),
    ] = None,
    device: DeviceOption = None,
    batch_size: BatchOption = None,
    workers: WorkersOption = 0,
    engine: EngineOption = None,
    address: AddressOption = None,
    seed: SeedOption = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Fit thresholds for an aligner and keep them in asrdq.yaml.

    Plants faults on copies of sampled clips, fits thresholds on half of the speakers of each
    language, and shows on the other half what is found of each fault, how many good hours would be
    lost and how many bad ones kept. The section `calibrations` of asrdq.yaml says so with date,
    aligner, manifest and seed; its other lines stay as they are. `asrdq audit` takes thresholds
    that are for its aligner, version and language. Killed, the same command goes on. Ends with 4
    if nothing could be calibrated.

    Example: `asrdq calibrate train --by domain --false-alarms 3%`
    """
    from asrdq.audit.calibration.calibrating import CalibratePlan, calibrate_aligner
    from asrdq.cli.auditing import chosen_aligner
    from asrdq.cli.engines import cluster_of, working_on
    from asrdq.cli.stages import stage
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    plan = CalibratePlan(
        aligner=chosen_aligner(opened.settings.audit, aligner, device, batch_size),
        by=by,
        false_alarms=None if false_alarms is None else share(false_alarms),
        seed=opened.settings.sampling.seed if seed is None else seed,
        cluster=cluster_of(opened.settings, engine, address),
    )
    with working_on(plan.cluster):
        result = calibrate_aligner(
            opened,
            opened.manifest(manifest),
            plan,
            workers=workers or opened.settings.workers,
            stage=stage,
        )
    emit_in_words(result, output)
    for left_out in result.left_out:
        console.warn(f"no threshold for {left_out}")
    if result.entries:
        console.next_step(f"asrdq audit {manifest}", "judges by these thresholds")
        return ExitCode.OK
    console.next_step(f"asrdq sample {manifest} --fraction 1", "draws every clip there is")
    return ExitCode.UNDECIDED


def share(text: str) -> float:
    """Return a share of false alarms that may be written in percent.

    Raises:
        UsageError: It is no number above 0 and below a half.

    >>> share("3%"), share("0.03")
    (0.03, 0.03)
    """
    number = text.strip().removesuffix("%")
    try:
        value = float(number) / (100.0 if text.strip().endswith("%") else 1.0)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 0.5:
        raise UsageError(
            f"--false-alarms {text} is no share above 0 and below a half", hint="3% or 0.03"
        )
    return value
