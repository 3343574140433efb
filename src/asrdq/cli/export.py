"""`asrdq export`: write a manifest to a file, or to a folder with its audio converted."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.options import ManifestArgument, WorkersOption, WorkspaceOption
from asrdq.errors import UsageError
from asrdq.exporting import AudioTarget

if TYPE_CHECKING:
    from asrdq.exporting import AudioExportResult
    from asrdq.manifests import ExportResult, Rewriting
    from asrdq.workspace import ManifestVersion, Workspace


def export(
    manifest: ManifestArgument,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            help="The file or folder to write, or s3://…; - for stdout. A folder with --audio.",
        ),
    ],
    format_name: Annotated[
        str, typer.Option("--format", "-f", help="Format: nemo, lhotse, kaldi, parquet, csv …")
    ] = "nemo",
    relative: Annotated[
        bool,
        typer.Option(
            "--relative",
            help="Audio paths relative to the audio root; with --audio, to the folder.",
        ),
    ] = False,
    audio: Annotated[
        AudioTarget | None,
        typer.Option("--audio", help="Convert the audio too: 16 kHz, mono, 16 bits."),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="/HERE=/THERE",
            help="Rewrite paths that begin so; repeat it. The longest prefix counts.",
        ),
    ] = None,
    keep_unmapped: Annotated[
        bool,
        typer.Option("--keep-unmapped", help="Leave paths without a mapped prefix as they are."),
    ] = False,
    exists: Annotated[
        Path | None,
        typer.Option(
            "--exists",
            metavar="LISTING",
            help="Look rewritten paths up in a list of files made there; - for stdin.",
        ),
    ] = None,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Do not look whether rewritten paths exist.")
    ] = False,
    max_reject_share: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Fail above this share of rows whose audio cannot be converted."
        ),
    ] = None,
    workers: WorkersOption = 0,
    workspace: WorkspaceOption = ".",
) -> None:
    """Write a version of a manifest, with every column under its original name.

    Columns that the format has no place for are named. With `--audio` the folder `--out` takes
    the manifest and converted copies of the audio, in parallel; a killed export goes on where it
    stopped. With `--map` paths are rewritten for another machine and looked up: on this one, or in
    a listing of the other. A file that the manifest was read from is never written over.

    Example: `asrdq export train@3 --format nemo --out train.jsonl`, or
    `asrdq export train --audio wav16k --out /data/train16k`, or
    `asrdq export train --map /home/me/data=/data --exists files.txt --out train.jsonl`
    """
    from asrdq.places import on_disk
    from asrdq.workspace import Workspace

    rewriting = _rewriting(map_ or [], keep_unmapped, exists, unchecked)
    if audio is None and (max_reject_share is not None or workers):
        raise UsageError("--max-reject-share and --workers are about audio", hint="--audio wav16k")
    if audio is not None and out == "-":
        raise UsageError("converted audio needs a folder", hint="name one with --out")
    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    if audio is None:
        _export(opened, version, format_name, out, relative, rewriting)
        return
    from asrdq.exporting import export_audio

    result = export_audio(
        opened,
        version,
        format_name,
        on_disk(out),
        audio,
        relative=relative,
        rewriting=rewriting,
        max_failed_share=max_reject_share,
        workers=workers or opened.settings.workers,
        stage=console.progress,
    )
    _tell_audio(result, version, audio, moved=rewriting is not None)


def _tell_audio(
    result: AudioExportResult, version: ManifestVersion, audio: AudioTarget, *, moved: bool
) -> None:
    _tell(result.summary(), result.written, result.notes)
    for reason, count in result.reasons().items():
        console.warn(f"left out {count:,} × {reason}: listed in {result.failures}")
    file = shlex.quote(result.written.file)
    console.next_step(
        f"asrdq ingest {file} --name {version.name}_{audio.value}",
        "where the audio will be, to audit it" if moved else "to audit what was written",
    )


def _export(
    workspace: Workspace,
    version: ManifestVersion,
    format_name: str,
    out: str,
    relative: bool,
    rewriting: Rewriting | None,
) -> None:
    from asrdq.manifests import export_manifest
    from asrdq.places import place

    result = export_manifest(
        workspace,
        version,
        format_name,
        sys.stdout.buffer if out == "-" else place(out),
        relative=relative,
        rewriting=rewriting,
        stage=console.progress,
    )
    _tell(result.summary(), result, result.notes)
    console.next_step("asrdq manifests", "see every manifest and its versions")


def _rewriting(
    pairs: Sequence[str], keep_unmapped: bool, exists: Path | None, unchecked: bool
) -> Rewriting | None:
    from asrdq.manifests import PathMap, Rewriting, listed_in, missing_here

    if not pairs:
        if keep_unmapped or exists or unchecked:
            raise UsageError(
                "--keep-unmapped, --exists and --unchecked are about rewritten paths",
                hint="say how with --map /laptop/data=/container/data",
            )
        return None
    if exists and unchecked:
        raise UsageError("--exists looks paths up and --unchecked does not", hint="choose one")
    check = missing_here if exists is None else listed_in(exists)
    return Rewriting(PathMap.parse(pairs), keep_unmapped, None if unchecked else check)


def _tell(summary: str, written: ExportResult, notes: Sequence[str]) -> None:
    console.say(summary)
    if written.lost:
        console.warn(f"{written.format} has no place for {', '.join(written.lost)}: left out")
    for note in notes:
        console.warn(note)
