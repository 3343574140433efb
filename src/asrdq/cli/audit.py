"""`asrdq audit`: align transcripts with audio and judge every sampled clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.options import (
    AddressOption,
    EngineOption,
    FormatOption,
    ManifestArgument,
    SeedOption,
    WorkersOption,
    WorkspaceOption,
)
from asrdq.cli.output import Format, emit
from asrdq.errors import ExitCode

if TYPE_CHECKING:
    from asrdq.audit import AuditResult

AlignerOption = Annotated[
    str | None,
    typer.Option(
        "--aligner",
        metavar="NAME[:ADDRESS]",
        help="pocketsphinx, ctc:MODEL, qwen:MODEL or import:FOLDER; default: asrdq.yaml.",
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option("--device", help="Where a neural aligner runs: auto, cpu, cuda or cuda:1."),
]
BatchOption = Annotated[
    int | None,
    typer.Option("--batch-size", min=1, help="Most clips that a neural aligner gets at once."),
]


def audit(
    manifest: ManifestArgument,
    aligner: AlignerOption = None,
    calibration: Annotated[
        bool,
        typer.Option(
            "--calibration/--no-calibration",
            help="Fit thresholds on faults planted on this data, or use the shipped ones.",
        ),
    ] = True,
    faults: Annotated[
        bool,
        typer.Option("--faults", help="Plant faults also without calibration, to prove it."),
    ] = False,
    device: DeviceOption = None,
    batch_size: BatchOption = None,
    workers: WorkersOption = 0,
    engine: EngineOption = None,
    address: AddressOption = None,
    seed: SeedOption = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Align transcripts with audio and judge every sampled clip.

    Takes the newest sample of `asrdq sample`, or draws one by asrdq.yaml. Faults are planted on
    copies of sampled clips; they set the thresholds and prove what the audit finds. Aligned
    clips stay cached: after a kill the same command goes on where it stopped. Ends with 1 if not
    one clip can be read, with 4 if none could be judged.

    Example: `asrdq audit train`, then
    `asrdq sql "SELECT utt_id, reasons FROM audits WHERE low_quality"`
    """
    from asrdq.cli.stages import run_audit

    result = run_audit(
        workspace,
        manifest,
        aligner=aligner,
        device=device,
        batch_size=batch_size,
        calibrate=calibration,
        plant=faults,
        seed=seed,
        workers=workers,
        engine=engine,
        address=address,
    )
    if output is Format.TABLE:
        print(result.summary())
    else:
        emit(result, output)
    return conclude(result, manifest)


def conclude(result: AuditResult, manifest: str) -> int:
    """Say what to do next, and return the exit code of an audit: 4 where nothing was judged."""
    if result.judged:
        console.next_step(f"asrdq gate {manifest}", "gives the verdict")
        return ExitCode.OK
    console.warn("not one clip could be judged")
    console.next_step(f"asrdq gate {manifest}", "says why, and what would help")
    return ExitCode.UNDECIDED
