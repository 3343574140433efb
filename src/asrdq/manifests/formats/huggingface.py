"""Hugging Face data sets: Parquet with an audio struct, and folders made by `save_to_disk`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, ClassVar, Final

from asrdq.errors import DataError, UsageError
from asrdq.manifests.columns import AUDIO_PATH, DURATION, UTT_ID, Aliases
from asrdq.manifests.formats.delimited import COLUMN_NAMES
from asrdq.manifests.formats.embedded import clip_durations, clip_of
from asrdq.manifests.formats.parquet import MAGIC, open_parquet, parse_batch
from asrdq.manifests.formats.protocol import Chunk, Clip, Parsed

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_A_CHUNK = 32
_INFO, _STATE, _SPLITS = "dataset_info.json", "state.json", "dataset_dict.json"
_SPLIT = "split"
_PATH, _ID, _LENGTH = "audio_filepath", "id", "duration"
_NAMES: Final[Aliases] = {
    **COLUMN_NAMES,
    AUDIO_PATH: (_PATH,),
    UTT_ID: COLUMN_NAMES[UTT_ID],
}


class HuggingFaceFormat:
    """A column `{bytes, path}` of audio; the name of an embedded file is the id of its row."""

    name: ClassVar[str] = "huggingface"
    description: ClassVar[str] = "Hugging Face Parquet with audio, or a save_to_disk folder"
    typed: ClassVar[bool] = True
    aliases: Aliases = _NAMES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether it is such a folder, or Parquet with a column of audio."""
        if path.is_dir():
            return (path / _SPLITS).is_file() or (path / _STATE).is_file()
        if not head.startswith(MAGIC):
            return False
        with open_parquet(path) as file:
            return _audio_column(file.schema_arrow) is not None

    def split(self, path: Path) -> Iterator[Chunk]:
        """Read batches of rows."""
        if not path.is_dir():
            with open_parquet(path) as file:
                groups = file.iter_batches(_ROWS_A_CHUNK)
                yield from _chunks(groups, path, None, None, file.metadata.num_rows)
            return
        for split, file_path in _arrow_files(path):
            yield from _chunks(_stream(file_path), file_path, split, str(file_path), None)

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Take the audio out of rows."""
        import pyarrow as pa

        batch, split = chunk.context
        column = _audio_column(batch.schema)
        if column is None:
            raise UsageError("has no column of audio", where=chunk.file)
        others = batch.drop_columns([column])
        parsed = parse_batch(others, chunk.first_line, self.aliases)
        audio = batch[column].to_pylist()
        clips = [_clip(each) for each in audio]
        paths = [(each or {}).get("path") for each in audio]
        added = {_PATH: [None if c else p for c, p in zip(clips, paths, strict=True)]}
        if not set(parsed.rows.column_names) & set(self.aliases[UTT_ID]):
            added[_ID] = [PurePosixPath(p).name if p else None for p in paths]
        if split is not None:
            added[_SPLIT] = [split] * len(paths)
        rows = parsed.rows
        for name, values in added.items():
            if name not in rows.column_names:
                rows = rows.append_column(name, pa.array(values, pa.string()))
        if not set(rows.column_names) & set(self.aliases[DURATION]):
            rows = rows.append_column(_LENGTH, clip_durations(clips))
        return Parsed(rows, parsed.lines, parsed.rejects, clips=clips)


def _audio_column(schema: pa.Schema) -> str | None:
    """Return the column that is a struct of bytes and path, `audio` before all others."""
    import pyarrow as pa

    found = [
        field.name
        for field in schema
        if pa.types.is_struct(field.type)
        and {"bytes", "path"} <= {field.type.field(i).name for i in range(field.type.num_fields)}
    ]
    return "audio" if "audio" in found else (found[0] if found else None)


def _clip(audio: dict[str, object] | None) -> Clip | None:
    content = (audio or {}).get("bytes")
    return clip_of(content, str((audio or {}).get("path"))) if isinstance(content, bytes) else None


def _chunks(
    batches: Iterator[pa.RecordBatch],
    path: Path,
    split: str | None,
    file: str | None,
    rows: int | None,
) -> Iterator[Chunk]:
    first, size = 1, path.stat().st_size
    for batch in batches:
        for at in range(0, batch.num_rows, _ROWS_A_CHUNK):
            part = batch.slice(at, _ROWS_A_CHUNK)
            share = size * part.num_rows // rows if rows else part.nbytes
            yield Chunk(b"", first, (part, split), share, file)
            first += part.num_rows


def _stream(path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as batches:
            yield from batches
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"the Arrow file is damaged: {error}", where=str(path)) from error


def _arrow_files(folder: Path) -> Iterator[tuple[str | None, Path]]:
    """Give the files of a saved data set, each with its split where there are several."""
    if not (folder / _SPLITS).is_file():
        yield from ((None, file) for file in _files(folder))
        return
    for split in _listed(folder / _SPLITS, "splits"):
        yield from ((split, file) for file in _files(folder / split))


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in _listed(folder / _STATE, "_data_files")]


def _listed(file: Path, key: str) -> list[str]:
    """Return names that a file lists, each of something right beside it.

    Raises:
        DataError: The file cannot be read, or a name leads elsewhere.
    """
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))[key]
        names = [each["filename"] if isinstance(each, dict) else each for each in entries]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"is no list of a saved data set: {error}", where=str(file)) from error
    for name in names:
        if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or "\0" in name:
            raise DataError(f"names {name!r:.80}, which is not beside it", where=str(file))
    return names
