"""LJ Speech: metadata.csv with `|` between id, text and normalised text; audio in wavs/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, ClassVar

from asrdq.errors import DataError
from asrdq.manifests.columns import AUDIO_PATH, DURATION, TEXT, UTT_ID, Aliases
from asrdq.manifests.formats.audio_headers import parse_with_durations
from asrdq.manifests.formats.audio_names import find_audio
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.opening import Opened, opened
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import Record, record_chunks, text_of
from asrdq.manifests.rejects import Reject, RejectReason, shorten

if TYPE_CHECKING:
    import pyarrow as pa

_FILE, _NORMALIZED = "metadata.csv", "normalized_text"
_FOLDERS = ("wavs", "wav", "audio", "")


class LJSpeechFormat:
    """A folder with metadata.csv, or that file; durations come from the audio."""

    name: ClassVar[str] = "ljspeech"
    description: ClassVar[str] = "LJ Speech metadata.csv beside its folder wavs"
    typed: ClassVar[bool] = True
    holds: ClassVar[frozenset[str] | None] = frozenset({UTT_ID, AUDIO_PATH, TEXT, _NORMALIZED})
    order: ClassVar[tuple[str, ...]] = ()
    suffix: ClassVar[str] = ".csv"
    keeps_paths: ClassVar[bool] = False
    aliases: Aliases = {name: (name,) for name in (UTT_ID, AUDIO_PATH, TEXT, DURATION)}  # noqa: RUF012

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether it is such a file or folder with two or three cells on the first line."""
        if path.is_dir() and (path / _FILE).is_file():
            with opened(path / _FILE) as source:
                head = source.stream.readline(1 << 16)
        elif path.name != _FILE:
            return False
        first = head.split(b"\n")[0]
        return first.count(b"|") in (1, 2) and b"," not in first.split(b"|")[0]

    def split(self, path: Path) -> Iterator[Chunk]:
        """Read the lines."""
        file = path / _FILE if path.is_dir() else path
        with opened(file) as source:
            for chunk in record_chunks(_rows(source, file.parent), source.consumed, str(file)):
                yield Chunk(b"", 1, (chunk.context, file.parent), chunk.consumed, chunk.file)

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make rows a table, with how long each audio file is."""
        return parse_with_durations(*chunk.context)

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write metadata.csv; the id of a line is the name of its audio file."""
        seen: dict[str, str] = {}
        with out.file() as file:
            for batch in rows:
                for row in batch.to_pylist():
                    path = PurePosixPath(row[AUDIO_PATH])
                    if seen.setdefault(path.stem, str(path)) != str(path):
                        raise DataError(f"two audio files are called '{path.stem}'")
                    if row[UTT_ID] != path.stem:
                        out.note("ids there are the names of audio files")
                    cells = (path.stem, row[TEXT], row.get(_NORMALIZED) or row[TEXT])
                    file.write(_line(cells))


def _line(cells: tuple[str, ...]) -> bytes:
    for cell in cells:
        if any(sign in cell for sign in "|\r\n"):
            raise DataError(f"{cell!r:.80} cannot stand in LJ Speech: a `|` or line end is in it")
    return "|".join(cells).encode() + b"\n"


def _rows(source: Opened, folder: Path) -> Iterator[Record | Reject]:
    for line, raw in enumerate(source.stream, 1):
        text = text_of(raw, line)
        if isinstance(text, Reject):
            yield text
            continue
        if not text.strip():
            continue
        cells = text.split("|")
        if len(cells) not in (2, 3) or not cells[0].strip():
            detail = f"{len(cells)} cells between `|`, not ID|TEXT or ID|TEXT|NORMALIZED"
            yield Reject(line, RejectReason.RAGGED_ROW, detail, shorten(raw))
            continue
        found = find_audio(folder, cells[0], _FOLDERS)
        row = {UTT_ID: cells[0], AUDIO_PATH: found or f"wavs/{cells[0]}.wav", TEXT: cells[1]}
        yield line, {**row, **({_NORMALIZED: cells[2]} if len(cells) == 3 else {})}
