"""The rows of a manifest version as a format takes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

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
from asrdq.manifests.formats.protocol import WritableFormat
from asrdq.manifests.path_map import PathMap
from asrdq.workspace.audio_root import relative_audio, resolve_audio
from asrdq.workspace.sql import connection, select_from

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import ManifestVersion, Workspace


class Clips(Protocol):
    """Where the audio of exported rows lies."""

    def place(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows of the manifest table with the paths and times that are to be written.

        Rows may be left out; the columns are the same for every batch, an empty one too.
        """


class AsIngested:
    """Audio where it is: absolute on this machine, or relative to the audio root."""

    def __init__(self, workspace: Workspace, manifest: ManifestVersion, *, relative: bool) -> None:
        self._root, self._present_root = manifest.audio_root, workspace.audio_root()
        self._relative = relative

    def place(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `Clips.place`."""
        return with_paths(batch, self._path)

    def _path(self, stored: str) -> str:
        if self._relative:
            return relative_audio(stored, self._root)
        return resolve_audio(stored, self._root, self._present_root)


class Elsewhere:
    """Audio whose paths are rewritten for another machine."""

    def __init__(self, clips: Clips, path_map: PathMap) -> None:
        self._clips, self._map = clips, path_map

    def place(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `Clips.place`."""
        return with_paths(self._clips.place(batch), self._map.place)


def with_paths(batch: pa.RecordBatch, change: Callable[[str], str]) -> pa.RecordBatch:
    """Return rows with a function of the audio path in its place."""
    import pyarrow as pa

    paths = pa.array([change(path) for path in batch[AUDIO_PATH].to_pylist()], pa.string())
    return batch.set_column(batch.schema.get_field_index(AUDIO_PATH), AUDIO_PATH, paths)


class Outgoing:
    """The rows of a version as a format takes them.

    Attributes:
        lost: Columns with values that the format has no place for.
        count: Number of rows that were given.
    """

    def __init__(
        self,
        workspace: Workspace,
        manifest: ManifestVersion,
        target: WritableFormat,
        clips: Clips,
        advance: Callable[[int], None],
    ) -> None:
        self._manifest, self._target = manifest, target
        self._clips, self._advance = clips, advance
        self._filled = _filled(workspace, manifest)
        self.lost: set[str] = set()
        self._renamed: dict[str, str] = {}
        self.count = 0

    def rows(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """Return the columns the format holds, under its names and with the paths to write."""
        import pyarrow as pa

        holds = self._target.holds
        schema = self._clips.place(pa.RecordBatch.from_pylist([], reader.schema)).schema
        columns = [c for c in schema.names if holds is None or c in holds]
        original = self._manifest.renamed
        names = file_names(columns, self._target.aliases, original, self._filled)
        for column, name in zip(columns, names, strict=True):
            if column not in CANONICAL and name != original.get(column, column):
                self._renamed[original.get(column, column)] = name
        fields = [
            schema.field(column).with_name(name)
            for column, name in zip(columns, names, strict=True)
        ]
        return pa.RecordBatchReader.from_batches(
            pa.schema(fields), self._batches(reader, columns, names)
        )

    def renaming(self) -> list[str]:
        """Return in words which columns could not have their original name."""
        return [
            f"column '{own}' is called '{name}' there: '{own}' would be read as another column"
            for own, name in self._renamed.items()
        ]

    def _batches(
        self, reader: pa.RecordBatchReader, columns: list[str], names: list[str]
    ) -> Iterator[pa.RecordBatch]:
        for batch in reader:
            placed = self._clips.place(batch)
            self._note_losses(placed, columns)
            self.count += placed.num_rows
            yield placed.select(columns).rename_columns(names)
            self._advance(batch.num_rows)

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


def _filled(workspace: Workspace, manifest: ManifestVersion) -> frozenset[str]:
    """Return which of speaker and language every row of a version has."""
    counts = ", ".join(f"count({name}) AS {name}" for name in (LANGUAGE, SPEAKER))
    body, _ = select_from(workspace.store, manifest.table, manifest.version)
    with connection(workspace.store, ()) as (database, _):
        [counted] = database.sql(f"SELECT {counts} FROM ({body})").to_arrow_table().to_pylist()
    return frozenset(name for name, count in counted.items() if count == manifest.rows)


def file_names(
    columns: Sequence[str],
    aliases: Aliases,
    renamed: Mapping[str, str],
    filled: Collection[str] = (),
) -> list[str]:
    """Return what the columns of a manifest table are called in a file, no two alike.

    Canonical columns come first, under the format's names; the language under the one that it was
    read by, if the format has it: models differ in what they ask for, `lang` or `source_lang`. A
    metadata column has its original name unless that is taken, or would be read as a canonical
    column that may be absent.

    Args:
        columns: The columns of the table.
        aliases: The names that the format has for canonical columns.
        renamed: Columns to their original names.
        filled: Canonical columns that are absent from no row.
    """
    names = {column: aliases.get(column, (column,))[0] for column in CANONICAL}
    if renamed.get(LANGUAGE) in aliases.get(LANGUAGE, ()):
        names[LANGUAGE] = renamed[LANGUAGE]
    likelier = _before(aliases.get(LANGUAGE, ()), names[LANGUAGE])
    may_be_absent = set(_MAY_BE_NULL).difference(filled)
    absent = {alias for column in may_be_absent for alias in aliases.get(column, ())}
    for column in columns:
        if column not in names:
            taken = absent.union(likelier, names.values())
            original = renamed.get(column, column)
            names[column] = free_name(column, taken) if original in taken else original
    return [names[column] for column in columns]


def _before(names: Sequence[str], name: str) -> Sequence[str]:
    """Return the names that a reader would take before another one."""
    return names[: names.index(name)] if name in names else ()
