"""`asrdq export`: a manifest version becomes a file of some format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from asrdq.console import Stage, silent
from asrdq.errors import UsageError
from asrdq.manifests.columns import AUDIO_PATH, DURATION, OFFSET, UTT_ID
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.protocol import WritableFormat
from asrdq.manifests.formats.registry import find_writable
from asrdq.manifests.outgoing import AsIngested, Clips, Elsewhere, Outgoing
from asrdq.manifests.rewriting import Rewriting, refuse_names
from asrdq.places import Place, S3Path, place, within
from asrdq.results import Result
from asrdq.workspace.sql import connection, select_from
from asrdq.workspace.store import quote_name

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True)
class ExportResult(Result):
    """A written manifest file.

    Attributes:
        manifest: The version.
        file: The file; `-` for standard output.
        format: Its format.
        rows: Number of rows.
        lost: Columns with values that the format has no place for.
        notes: What else a person should know of the file.
    """

    main_table: ClassVar[str] = "rows"

    manifest: ManifestVersion
    file: str
    format: str
    rows: int
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return what was written where."""
        return f"{self.manifest}: {self.rows:,} rows to {self.file} as {self.format}"

    def arrow(self) -> pa.Table:
        """Return one row with the attributes."""
        import pyarrow as pa

        return pa.table(
            {
                "manifest": [str(self.manifest)],
                "file": [self.file],
                "format": [self.format],
                "rows": [self.rows],
                "lost": pa.array([list(self.lost)], pa.list_(pa.string())),
            }
        )


def export_manifest(
    workspace: Workspace,
    manifest: ManifestVersion,
    format_name: str,
    out: Place | BinaryIO,
    *,
    relative: bool = False,
    rewriting: Rewriting | None = None,
    stage: Stage = silent,
) -> ExportResult:
    """Write a manifest version in some format, with every column under its original name.

    Where the format needs that name for another column, it gets a free one and a note. Audio paths
    are absolute as they are on this machine, so that the file can lie anywhere. Columns that the
    format has no place for are named in the result.

    Args:
        workspace: Where the manifest is kept.
        manifest: The version.
        format_name: Name of the format.
        out: The file or folder, which appears complete or not at all, or an open stream. A file
            whose name ends in `.gz` is compressed.
        relative: Write audio paths relative to the audio root instead.
        rewriting: How paths are rewritten for another machine; they are not by default.
        stage: Shows progress.

    Raises:
        UsageError: There is no such format, nothing can be written in it, relative paths are to
            be rewritten, or the manifest was read from that very file.
        DataError: A value cannot stand in this format, or a path cannot be rewritten or does not
            exist on the other side.
        ToolError: The file cannot be written.
    """
    target = find_writable(format_name)
    if isinstance(out, (Path, S3Path)):
        refuse_source(out, manifest)
    if relative and rewriting is not None:
        raise UsageError("relative paths have no prefix to map", hint="leave --relative out")
    clips = AsIngested(workspace, manifest, relative=relative)
    return write_rows(workspace, manifest, target, clips, Destination(out), rewriting, stage)


def write_rows(
    workspace: Workspace,
    manifest: ManifestVersion,
    target: WritableFormat,
    clips: Clips,
    out: Destination,
    rewriting: Rewriting | None,
    stage: Stage,
) -> ExportResult:
    """Write rows of a version whose audio lies where `clips` says; see `export_manifest`."""
    if rewriting is not None:
        refuse_names(target, "--map")
        paths = _paths(workspace, manifest, clips)
        for note in rewriting.prove(paths, out.path, stage):
            out.note(note)
        clips = Elsewhere(clips, rewriting.path_map)
    with (
        stage("export", manifest.rows, "rows") as bar,
        _ordered(workspace, manifest, target.order) as reader,
    ):
        outgoing = Outgoing(workspace, manifest, target, clips, bar.advance)
        target.write(outgoing.rows(reader), out)
    for note in outgoing.renaming():
        out.note(note)
    lost, notes = tuple(sorted(outgoing.lost)), tuple(out.notes)
    return ExportResult(manifest, str(out), target.name, outgoing.count, lost, notes)


def refuse_source(out: Place, manifest: ManifestVersion) -> None:
    """Refuse to write over what a manifest was read from.

    Raises:
        UsageError: The path is one of its sources, or a file in a folder that is one.
    """
    if not out.exists() or not _is_source(out, list(map(place, manifest.sources))):
        return
    raise UsageError(
        f"{manifest} was read from there, and a source is never written over",
        where=str(out),
        hint="name another file with --out",
    )


def _is_source(out: Place, sources: Sequence[Place]) -> bool:
    found = {source.resolve() for source in sources}
    inside = any(within(out.resolve(), source) is not None for source in found)
    same = isinstance(out, Path) and any(
        out.samefile(source) for source in found if isinstance(source, Path) and source.exists()
    )
    return inside or same or out.resolve() in found


def _paths(workspace: Workspace, manifest: ManifestVersion, clips: Clips) -> set[str]:
    """Return the distinct audio paths of the rows that are to be written."""
    found: set[str] = set()
    with workspace.stream(manifest, [UTT_ID, AUDIO_PATH, DURATION, OFFSET]) as reader:
        for batch in reader:
            found.update(clips.place(batch)[AUDIO_PATH].to_pylist())
    return found


@contextmanager
def _ordered(
    workspace: Workspace, manifest: ManifestVersion, order: Sequence[str]
) -> Iterator[pa.RecordBatchReader]:
    """Give the rows of a version, ordered by the bytes of columns where a format needs it."""
    columns = [quote_name(column) for column in order if column in manifest.columns]
    if not columns:
        with workspace.stream(manifest) as reader:
            yield reader
        return
    body, _ = select_from(workspace.store, manifest.table, manifest.version)
    with connection(workspace.store, ()) as (database, _):
        yield database.sql(f"FROM ({body}) ORDER BY {', '.join(columns)}").to_arrow_reader()
