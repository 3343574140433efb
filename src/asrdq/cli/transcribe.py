"""`asrdq transcribe`: fill a set of hypotheses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.options import (
    AddressOption,
    EngineOption,
    FormatOption,
    ManifestArgument,
    WorkersOption,
    WorkspaceOption,
)
from asrdq.cli.output import Format, emit_in_words
from asrdq.errors import ExitCode

if TYPE_CHECKING:
    from asrdq.transcription import TranscriptionResult


def transcribe(
    manifest: ManifestArgument,
    transcriber: Annotated[
        str,
        typer.Option(
            "--with",
            metavar="TRANSCRIBER",
            help="`pocketsphinx`, or `nemo:`, `ctc:`, `hf:` or `qwen:` and a model, or "
            "`openai:URL`.",
        ),
    ] = "pocketsphinx",
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="Name of the set; default: transcriber or model."),
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Only the clips of the newest sample.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Model of the server; default: its only one."),
    ] = None,
    device: Annotated[
        str, typer.Option("--device", help="Where a local model runs: auto, cpu, cuda, cuda:1.")
    ] = "auto",
    batch_s: Annotated[
        float | None,
        typer.Option(
            "--batch-s", min=0.1, help="Most seconds of audio that a local model gets at once."
        ),
    ] = None,
    beams: Annotated[
        int, typer.Option("--beams", min=1, help="Hypotheses that a search keeps; for `qwen`.")
    ] = 1,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, help="Most requests to a server at once.")
    ] = 8,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1.0, help="Seconds that a request may take.")
    ] = 120.0,
    retries: Annotated[
        int, typer.Option("--retries", min=0, help="How often a request that failed is repeated.")
    ] = 5,
    key_env: Annotated[
        str, typer.Option("--key-env", help="Environment variable with the key of the server.")
    ] = "OPENAI_API_KEY",
    workers: WorkersOption = 0,
    engine: EngineOption = None,
    address: AddressOption = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Transcribe the clips of a manifest into a set of the table `hypotheses`.

    What was transcribed is kept by content: after a kill the same command goes on. A clip that
    cannot be transcribed has no hypothesis, and stands with its reason in the table
    `transcription_failures`. Ends with 4 where there is such a clip, with 1 where not one clip can
    be read.

    Example: `asrdq transcribe eval --with openai:http://127.0.0.1:8000/v1 --name r1`
    """
    from asrdq.cli.engines import cluster_of, working_on
    from asrdq.transcription import TranscriberOptions, TranscriptionPlan, parse_transcriber
    from asrdq.transcription import transcribe as run
    from asrdq.workspace import Workspace

    kind, source = parse_transcriber(transcriber)
    options = TranscriberOptions(
        kind, source, model, key_env, concurrency, timeout, retries, device, batch_s, beams
    )
    opened = Workspace.open(workspace)
    cluster = cluster_of(opened.settings, engine, address)
    with working_on(cluster):
        result = run(
            opened,
            opened.manifest(manifest),
            TranscriptionPlan(options, name, sample, cluster),
            workers=workers or opened.settings.workers,
            stage=console.progress,
        )
    emit_in_words(result, output)
    return conclude(result, manifest, sample)


def conclude(result: TranscriptionResult, manifest: str, sample: bool) -> int:
    """Say what comes next, and return the exit code: 4 where a clip has no hypothesis."""
    without = result.clips - result.transcribed
    if without:
        console.warn(f"{without:,} clips have no hypothesis: see the table transcription_failures")
    part = (" --sample" if sample else "") + (" --ids common" if without else "")
    console.next_step(f"asrdq score {manifest} --hyps {result.name}{part}", "counts the errors")
    return ExitCode.UNDECIDED if without else ExitCode.OK
