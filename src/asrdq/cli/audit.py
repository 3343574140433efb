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
from asrdq.cli.out_of_fold import (
    BaseOption,
    FoldFolderOption,
    FoldModelsOption,
    FoldsOption,
    OutOfFold,
    OutOfFoldOption,
    RecipeOption,
    UnknownOriginOption,
    ValidationOption,
)
from asrdq.cli.output import Format, emit_in_words
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
    second: Annotated[
        str | None,
        typer.Option(
            "--second", metavar="NAME[:ADDRESS]", help="A second aligner to compare with."
        ),
    ] = None,
    hypotheses: Annotated[
        str | None,
        typer.Option(
            "--hypotheses",
            metavar="SET",
            help="Compare transcripts with what was heard: a set of `asrdq transcribe`, or a file.",
        ),
    ] = None,
    calibration: Annotated[
        bool | None,
        typer.Option(
            "--calibration/--no-calibration",
            help="Fit thresholds on faults planted on this data, or fit none and take those of "
            "asrdq.yaml or the shipped ones.",
            show_default="asrdq.yaml, else fit",
        ),
    ] = None,
    faults: Annotated[
        bool,
        typer.Option("--faults", help="Plant faults also without calibration, to prove it."),
    ] = False,
    out_of_fold: OutOfFoldOption = None,
    fold_models: FoldModelsOption = None,
    unknown_origin: UnknownOriginOption = False,
    folds: FoldsOption = None,
    recipe: RecipeOption = None,
    val: ValidationOption = None,
    base: BaseOption = None,
    fold_folder: FoldFolderOption = None,
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
    copies of sampled clips; they set the thresholds, where asrdq.yaml has none of `asrdq calibrate`
    for this aligner, version and language, and prove what the audit finds. Aligned clips stay
    cached: after a kill the same command goes on where it stopped. Ends with 1 if not one clip can
    be read, with 4 if none could be judged.

    `--out-of-fold speaker` judges each speaker by a CTC model that is proven not to have heard
    them: those of `--fold-models`, or one a fold that it trains first.

    Example: `asrdq audit train`, then
    `asrdq sql "SELECT utt_id, reasons FROM audits WHERE low_quality"`
    """
    from asrdq.cli.auditing import run_audit

    result = run_audit(
        workspace,
        manifest,
        aligner=aligner,
        second=second,
        hypotheses=hypotheses,
        device=device,
        batch_size=batch_size,
        calibrate=calibration,
        plant=faults,
        seed=seed,
        workers=workers,
        folds=OutOfFold(
            out_of_fold, fold_models, unknown_origin, folds, recipe, val, base, fold_folder
        ),
        engine=engine,
        address=address,
    )
    if result.thresholds_note:
        console.warn(f"no threshold of asrdq.yaml was taken: {result.thresholds_note}")
    emit_in_words(result, output)
    return conclude(result, manifest)


def conclude(result: AuditResult, manifest: str) -> int:
    """Say what to do next, and return the exit code of an audit: 4 where nothing was judged."""
    if result.judged:
        console.next_step(f"asrdq gate {manifest}", "gives the verdict")
        return ExitCode.OK
    console.warn("not one clip could be judged")
    console.next_step(f"asrdq gate {manifest}", "says why, and what would help")
    return ExitCode.UNDECIDED
