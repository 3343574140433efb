"""`asrdq faults`: plant known faults and measure how many the audit finds."""

from __future__ import annotations

from asrdq.cli.audit import AlignerOption, BatchOption, DeviceOption, conclude
from asrdq.cli.options import (
    AddressOption,
    EngineOption,
    FormatOption,
    ManifestArgument,
    SeedOption,
    WorkersOption,
    WorkspaceOption,
)
from asrdq.cli.output import Format, render


def faults(
    manifest: ManifestArgument,
    aligner: AlignerOption = None,
    device: DeviceOption = None,
    batch_size: BatchOption = None,
    workers: WorkersOption = 0,
    engine: EngineOption = None,
    address: AddressOption = None,
    seed: SeedOption = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Plant known faults and measure how many the audit finds.

    Runs the audit and shows its table `detections`: recall of each planted fault and false
    alarms on untouched clips, by stratum, with 95 % intervals.

    Example: `asrdq faults train --format csv`
    """
    from asrdq.cli.auditing import run_audit

    result = run_audit(
        workspace,
        manifest,
        aligner=aligner,
        device=device,
        batch_size=batch_size,
        plant=True,
        seed=seed,
        workers=workers,
        engine=engine,
        address=address,
    )
    render(result.detections.drop_columns(["run_id"]), output)
    return conclude(result, manifest)
