"""`asrdq export`: a manifest version becomes a file of some format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from asrdq.manifests.columns import (
    AUDIO_PATH,
    CANONICAL,
    DURATION,
    LANGUAGE,
    OFFSET,
    SPEAKER,
    Aliases,
    free_name,
)
from asrdq.manifests.formats.protocol import ManifestFormat
from asrdq.manifests.formats.registry import find_format
from asrdq.results import Result
from asrdq.workspace.audio_root import relative_audio, resolve_audio
from asrdq.workspace.files import whole_file

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
    """

    main_table: ClassVar[str] = "rows"

    manifest: ManifestVersion
    file: str
    format: str
    rows: int

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
            }
        )


def export_manifest(
    workspace: Workspace,
    manifest: ManifestVersion,
    format_name: str,
    out: Path | BinaryIO,
    *,
    relative: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> ExportResult:
    """Write a manifest version to a file, with every column under its original name.

    Where the format needs that name for another column, it is the name in the table. Audio paths
    are absolute as they are on this machine, so that the file can lie anywhere.

    Args:
        workspace: Where the manifest is kept.
        manifest: The version.
        format_name: Name of the format.
        out: The file, which appears complete or not at all, or an open stream.
        relative: Write audio paths relative to the audio root instead.
        advance: Called with the number of rows written.

    Raises:
        UsageError: There is no such format.
        ToolError: The file cannot be written.
    """
    target = find_format(format_name)
    with workspace.stream(manifest) as reader:
        rows = _outgoing(workspace, manifest, reader, target, relative, advance)
        if isinstance(out, Path):
            with whole_file(out) as file:
                target.write(rows, file)
        else:
            target.write(rows, out)
    name = str(out) if isinstance(out, Path) else "-"
    return ExportResult(manifest, name, target.name, manifest.rows)


def _outgoing(
    workspace: Workspace,
    manifest: ManifestVersion,
    reader: pa.RecordBatchReader,
    target: ManifestFormat,
    relative: bool,
    advance: Callable[[int], None],
) -> pa.RecordBatchReader:
    import pyarrow as pa

    root = workspace.audio_root()
    index = reader.schema.get_field_index(AUDIO_PATH)
    names = file_names(reader.schema.names, target.aliases, manifest.renamed)

    def path(stored: str) -> str:
        if relative:
            return relative_audio(stored, manifest.audio_root)
        return resolve_audio(stored, manifest.audio_root, root)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            paths = pa.array([path(item) for item in batch.column(index).to_pylist()], pa.string())
            yield batch.set_column(index, AUDIO_PATH, paths).rename_columns(names)
            advance(batch.num_rows)

    fields = [field.with_name(name) for field, name in zip(reader.schema, names, strict=True)]
    fields[index] = pa.field(names[index], pa.string())
    return pa.RecordBatchReader.from_batches(pa.schema(fields), batches())


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
