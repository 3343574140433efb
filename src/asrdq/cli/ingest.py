"""`asrdq ingest`: read manifest files into a versioned table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.options import JsonOption, WorkspaceOption
from asrdq.cli.output import render

if TYPE_CHECKING:
    from asrdq.manifests import IngestResult


def ingest(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH…", help="Files, folders or s3://…, read as one manifest."),
    ],
    name: Annotated[str, typer.Option("--name", "-n", help="What the manifest is called.")],
    format_name: Annotated[
        str, typer.Option("--format", "-f", help="Format: auto, nemo, lhotse, kaldi, parquet …")
    ] = "auto",
    pattern: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="What names of audio files say: '{label}_{speaker}.wav'."
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="audio_path=NAME",
            help="A column under the name it has in the files; repeat it.",
        ),
    ] = None,
    audio_root: Annotated[
        str | None,
        typer.Option("--audio-root", help="Folder that audio paths are relative to."),
    ] = None,
    max_reject_share: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Fail above this share of rejected lines."),
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = ".",
) -> None:
    """Read manifest files into a new version of a table; unfit lines go to table `rejects`.

    The same content again makes no new version.

    Example: `asrdq ingest train.jsonl --name train`
    """
    from asrdq.manifests import ingest_manifest
    from asrdq.places import place
    from asrdq.workspace import Workspace

    places = [place(path) for path in paths]
    files = [path for path in places if isinstance(path, Path) and path.is_file()]
    size = sum(path.stat().st_size for path in files)
    known = len(files) == len(places)
    opened = Workspace.open(workspace)
    with console.progress("ingest", size / 1e6 if known else None, "MB") as bar:
        result = ingest_manifest(
            opened,
            places,
            name,
            format_name=format_name,
            pattern=pattern,
            columns=dict(map(_column, column or [])),
            audio_root=place(audio_root) if audio_root else None,
            max_reject_share=max_reject_share,
            advance=lambda count: bar.advance(count / 1e6),
        )
    if as_json:
        print(result.to_json())
    tell(result, rows=not as_json)
    console.next_step(f"asrdq probe {name}", "measure every clip")


def tell(result: IngestResult, *, rows: bool) -> None:
    """Show the version on stdout, and on stderr what a person should know of its making."""
    from asrdq.manifests import ManifestList

    for file, taken in result.formats.items():
        console.say(f"read {Path(file).name} as {taken}")
    if rows:
        render(ManifestList((result.manifest,)).arrow().drop_columns(["audio_root", "sources"]))
    for reason, count in result.rejected.items():
        console.warn(f"rejected {count:,} × {reason}")
    for note in result.notes:
        console.warn(note)
    if not result.new_version:
        console.say(f"{result.manifest} has exactly this content already: no new version")


def _column(text: str) -> tuple[str, str]:
    from asrdq.errors import UsageError

    canonical, equals, name = text.partition("=")
    if not (canonical and equals and name):
        raise UsageError(
            f"--column '{text}' is not COLUMN=NAME", hint="write --column text=sentence, say"
        )
    return canonical, name
