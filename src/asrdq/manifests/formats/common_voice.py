"""Common Voice: a TSV file beside a folder `clips`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Final

from asrdq.manifests.columns import Aliases
from asrdq.manifests.formats.audio_headers import header_durations
from asrdq.manifests.formats.delimited import TsvFormat
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.lines import BOM
from asrdq.manifests.formats.protocol import Chunk, Parsed

if TYPE_CHECKING:
    import pyarrow as pa

_CLIPS, _LENGTHS = "clips", "clip_durations.tsv"
_NAMES: Final[Aliases] = {
    "utt_id": ("id", "utt_id"),
    "audio_path": ("path",),
    "text": ("sentence",),
    "duration_s": ("duration",),
    "offset_s": ("offset",),
    "language": ("locale",),
    "speaker": ("client_id",),
}


class CommonVoiceFormat(TsvFormat):
    """`client_id`, `path` in `clips/`, `sentence`, `locale`, and any columns besides.

    Quotes are signs like all others. Durations come from `clip_durations.tsv` where a release
    has it, else from the audio files.
    """

    name: ClassVar[str] = "commonvoice"
    description: ClassVar[str] = "Common Voice TSV beside its folder clips"
    quoted: ClassVar[bool] = False
    keeps_paths: ClassVar[bool] = False
    aliases: Aliases = _NAMES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the header names `client_id`, `path` and `sentence`."""
        first = head.removeprefix(BOM).split(b"\n")[0].rstrip(b"\r").split(b"\t")
        return {b"client_id", b"path", b"sentence"} <= set(first)

    def split(self, path: Path) -> Iterator[Chunk]:
        """Cut between rows."""
        lengths = _lengths(path.parent / _LENGTHS)
        for chunk in super().split(path):
            yield replace(chunk, context=(chunk.context, path.parent, lengths))

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Read rows; paths get their folder, and rows without a duration one if it is known."""
        import pyarrow as pa

        cells, folder, lengths = chunk.context
        parsed = super().parse(replace(chunk, context=cells), as_text)
        if "path" not in parsed.rows.column_names:
            return parsed
        names = parsed.rows["path"].to_pylist()
        paths = [_in_clips(name) for name in names]
        index = parsed.rows.column_names.index("path")
        rows = parsed.rows.set_column(index, "path", pa.array(paths, pa.string()))
        if "duration" not in rows.column_names:
            known = [lengths.get(name) for name in names] if lengths else None
            measured = pa.array(known, pa.float64()) if known else _measured(folder, paths)
            rows = rows.append_column("duration", measured)
        return replace(parsed, rows=rows)

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write a TSV; the path of a clip in a folder `clips` is its name alone."""
        import pyarrow as pa

        def batches() -> Iterator[pa.RecordBatch]:
            index = rows.schema.names.index("path")
            for batch in rows:
                names = [_out_of_clips(path, out) for path in batch.column(index).to_pylist()]
                yield batch.set_column(index, "path", pa.array(names, pa.string()))

        super().write(pa.RecordBatchReader.from_batches(rows.schema, batches()), out)


def _in_clips(name: str | None) -> str | None:
    if not name or name.startswith("/") or "://" in name:
        return name
    path = PurePosixPath(name)
    return str(_CLIPS / (path if path.suffix else path.with_suffix(".mp3")))


def _out_of_clips(path: str, out: Destination) -> str:
    found = PurePosixPath(path)
    if found.parent.name == _CLIPS:
        return found.name
    out.note(f"audio outside a folder {_CLIPS} is named by its whole path")
    return path


def _measured(folder: Path, paths: list[Any]) -> pa.Array:
    return header_durations([str(folder / path) if path else "" for path in paths])


def _lengths(file: Path) -> dict[str, float]:
    """Return the seconds of each clip from the file of a release, which has milliseconds."""
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t")
        next(rows, None)
        return {row[0]: int(row[1]) / 1000 for row in rows if len(row) > 1 and row[1].isdecimal()}
