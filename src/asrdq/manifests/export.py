"""`asrdq export`: a manifest version becomes a file of some format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from asrdq.errors import DataError
from asrdq.manifests.columns import (
    AUDIO_PATH,
    CANONICAL,
    DURATION,
    LANGUAGE,
    OFFSET,
    SPEAKER,
    TEXT,
    Aliases,
    free_name,
)
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.protocol import WritableFormat
from asrdq.manifests.formats.registry import find_writable
from asrdq.places import Place
from asrdq.results import Result
from asrdq.workspace.audio_root import relative_audio, resolve_audio
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
    advance: Callable[[int], None] = lambda _: None,
) -> ExportResult:
    """Write a manifest version in some format, with every column under its original name.

    Where the format needs that name for another column, it is the name in the table. Audio paths
    are absolute as they are on this machine, so that the file can lie anywhere. Columns that the
    format has no place for are named in the result.

    Args:
        workspace: Where the manifest is kept.
        manifest: The version.
        format_name: Name of the format.
        out: The file or folder, which appears complete or not at all, or an open stream. A file
            whose name ends in `.gz` is compressed.
        relative: Write audio paths relative to the audio root instead.
        advance: Called with the number of rows written.

    Raises:
        UsageError: There is no such format, or nothing can be written in it.
        DataError: A value cannot stand in this format.
        ToolError: The file cannot be written.
    """
    target = find_writable(format_name)
    destination = Destination(out)
    outgoing = _Outgoing(workspace, manifest, target, relative, advance)
    with _ordered(workspace, manifest, target.order) as reader:
        target.write(outgoing.rows(reader), destination)
    notes = tuple(destination.notes)
    lost = tuple(sorted(outgoing.lost))
    return ExportResult(manifest, str(destination), target.name, manifest.rows, lost, notes)


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


class _Outgoing:
    """The rows of a version as a format takes them.

    Attributes:
        lost: Columns with values that the format has no place for.
    """

    def __init__(
        self,
        workspace: Workspace,
        manifest: ManifestVersion,
        target: WritableFormat,
        relative: bool,
        advance: Callable[[int], None],
    ) -> None:
        self._manifest, self._target = manifest, target
        self._relative, self._advance = relative, advance
        self._present_root = workspace.audio_root()
        self.lost: set[str] = set()

    def rows(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """Return the columns the format holds, under its names and with paths of this machine."""
        import pyarrow as pa

        holds = self._target.holds
        columns = [c for c in reader.schema.names if holds is None or c in holds]
        names = file_names(columns, self._target.aliases, self._manifest.renamed)
        fields = [
            reader.schema.field(column).with_name(name)
            for column, name in zip(columns, names, strict=True)
        ]
        return pa.RecordBatchReader.from_batches(
            pa.schema(fields), self._batches(reader, columns, names)
        )

    def _batches(
        self, reader: pa.RecordBatchReader, columns: list[str], names: list[str]
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for batch in reader:
            self._note_losses(batch, columns)
            kept = batch.select(columns)
            if AUDIO_PATH in columns:
                paths = [self._path(item) for item in batch[AUDIO_PATH].to_pylist()]
                index = columns.index(AUDIO_PATH)
                kept = kept.set_column(index, AUDIO_PATH, pa.array(paths, pa.string()))
            yield kept.rename_columns(names)
            self._advance(batch.num_rows)

    def _path(self, stored: str) -> str:
        if self._relative:
            return relative_audio(stored, self._manifest.audio_root)
        return resolve_audio(stored, self._manifest.audio_root, self._present_root)

    def _note_losses(self, batch: pa.RecordBatch, columns: list[str]) -> None:
        import pyarrow.compute as pc

        for name in set(batch.schema.names).difference(columns, self.lost):
            column = batch[name]
            empty = name == TEXT and not pc.any(pc.not_equal(column, "")).as_py()
            if column.null_count < len(column) and not empty:
                self.lost.add(name)
        if OFFSET in self.lost and AUDIO_PATH in columns:
            raise DataError(
                f"the format {self._target.name} has no place for offset_s, and without it a row "
                "would stand for a whole recording",
                hint="choose a format that knows segments: nemo, kaldi, lhotse, stm, csv, parquet",
            )


_MAY_BE_NULL = (DURATION, OFFSET, LANGUAGE, SPEAKER)


def file_names(columns: Sequence[str], aliases: Aliases, renamed: Mapping[str, str]) -> list[str]:
    """Return what the columns of a manifest table are called in a file, no two alike.

    Canonical columns come first, under the format's names. A metadata column has its original
    name unless that is taken, or would be read as a canonical column that may be absent.

    Args:
        columns: The columns of the table.
        aliases: The names that the format has for canonical columns.
        renamed: Metadata columns to their original names.
    """
    names = {column: aliases.get(column, (column,))[0] for column in CANONICAL}
    absent = {alias for column in _MAY_BE_NULL for alias in aliases.get(column, ())}
    for column in columns:
        if column not in names:
            taken = absent.union(names.values())
            original = renamed.get(column, column)
            names[column] = free_name(column, taken) if original in taken else original
    return [names[column] for column in columns]
