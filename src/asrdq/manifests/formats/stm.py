"""STM, the references of NIST's sclite: a segment a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.errors import DataError
from asrdq.manifests.columns import AUDIO_PATH, DURATION, OFFSET, SPEAKER, TEXT, Aliases
from asrdq.manifests.formats.audio_names import find_audio
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.opening import Opened, opened
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import Record, parse_records, record_chunks, text_of
from asrdq.manifests.formats.seconds import DIGITS, read_seconds, written_seconds
from asrdq.manifests.rejects import Reject, RejectReason, shorten
from asrdq.text.nist import escaped_words, plain_words

if TYPE_CHECKING:
    import pyarrow as pa

_CHANNEL, _LABEL = "channel", "label"
_COMMENT = ";;"
_UNSCORED = "ignoretimesegmentinscoring"
_UNKNOWN = "unknown"
_CELLS = 5


class StmFormat:
    """`recording channel speaker begin end <label> text`; the audio lies beside the file."""

    name: ClassVar[str] = "stm"
    description: ClassVar[str] = "STM segments as sclite reads them"
    typed: ClassVar[bool] = True
    holds: ClassVar[frozenset[str] | None] = frozenset(
        {AUDIO_PATH, TEXT, DURATION, OFFSET, SPEAKER, _CHANNEL, _LABEL}
    )
    order: ClassVar[tuple[str, ...]] = (AUDIO_PATH, _CHANNEL, OFFSET)
    suffix: ClassVar[str] = ".stm"
    keeps_paths: ClassVar[bool] = False
    aliases: Aliases = {c: (c,) for c in (AUDIO_PATH, TEXT, DURATION, OFFSET, SPEAKER)}  # noqa: RUF012

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the name ends in `.stm`."""
        return path.name.lower().endswith((".stm", ".stm.gz"))

    def split(self, path: Path) -> Iterator[Chunk]:
        """Read the lines."""
        with opened(path) as source:
            yield from record_chunks(_rows(source, path.parent), source.consumed)

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make rows a table."""
        return parse_records(chunk.context)

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write a line a row; a recording is called by the name of its file."""
        seen: dict[str, str] = {}
        with out.file() as file:
            for batch in rows:
                for row in batch.to_pylist():
                    path = row[AUDIO_PATH]
                    name = _word(PurePosixPath(path).stem)
                    if seen.setdefault(name, path) != path:
                        raise DataError(f"two recordings are called '{name}'")
                    if name != path:
                        out.note("a recording is called by the name of its file alone")
                    if " ".join(row[TEXT].split()) != row[TEXT]:
                        out.note("blanks and line ends of texts are single blanks there")
                    file.write(f"{name} {_line(row)}\n".encode())


@dataclass(frozen=True, slots=True)
class UnscoredSegment:
    """Where nothing is to be scored; times in seconds."""

    recording: str
    channel: str
    start: float
    stop: float


def unscored_segment(line: str) -> UnscoredSegment | None:
    """Return what a line of STM keeps out of scoring; None for any other line."""
    cells = line.split()
    if len(cells) <= _CELLS or not _keeps_out(cells[-1]):
        return None
    start, stop = (read_seconds(cell) for cell in cells[3:5])
    return (
        None if start is None or stop is None else UnscoredSegment(cells[0], cells[1], start, stop)
    )


def _keeps_out(words: str) -> bool:
    return words.replace("_", "").lower() == _UNSCORED


def _line(row: dict[str, Any]) -> str:
    start, duration = row.get(OFFSET) or 0.0, row.get(DURATION)
    if duration is None:
        raise DataError(
            "STM needs the end of each segment, and a row has no duration",
            where=row[AUDIO_PATH],
            hint="asrdq probe measures durations",
        )
    text = escaped_words(" ".join(row[TEXT].split()))
    if text.startswith(("<", _COMMENT)):
        raise DataError(f"{text!r:.60} would be read as a label or a comment in STM")
    label = row.get(_LABEL)
    cells = [
        _word(str(row.get(_CHANNEL) or 1)),
        _word(row.get(SPEAKER) or _UNKNOWN),
        written_seconds(start),
        written_seconds(start + duration),
        *([_word(label)] if label else []),
        *([text] if text else []),
    ]
    return " ".join(cells)


def _word(text: str) -> str:
    if len(text.split()) != 1 or text.strip() != text:
        raise DataError(f"{text!r} cannot stand in STM: there is a blank in it")
    return text


def _rows(source: Opened, folder: Path) -> Iterator[Record | Reject]:
    audio: dict[str, str] = {}
    for line, raw in enumerate(source.stream, 1):
        text = text_of(raw, line)
        if isinstance(text, Reject):
            yield text
        elif text.strip() and not text.startswith(_COMMENT):
            row = _row(text)
            if isinstance(row, dict):
                name = row[AUDIO_PATH]
                if name not in audio:
                    audio[name] = find_audio(folder, name) or f"{name}.wav"
                yield line, {**row, AUDIO_PATH: audio[name]}
            else:
                reason, detail = row
                yield Reject(line, reason, detail, shorten(raw))


def _row(text: str) -> dict[str, Any] | tuple[RejectReason, str]:
    cells = text.split(maxsplit=_CELLS)
    start, end = (read_seconds(cell) for cell in (*cells[3:5], "", "")[:2])
    if start is None or end is None:
        return RejectReason.BAD_LINE, "not RECORDING CHANNEL SPEAKER BEGIN END <LABEL> TEXT"
    if end <= start:
        return RejectReason.BAD_INTERVAL, f"it ends at {end:g} s and begins at {start:g} s"
    words = cells[_CELLS] if len(cells) > _CELLS else ""
    label = None
    if words.startswith("<"):
        label, _, words = words.partition(" ")
    if _keeps_out(words.strip()):
        return RejectReason.NOT_A_CLIP, "a segment that is not to be scored has no transcript"
    return {
        AUDIO_PATH: cells[0],
        TEXT: plain_words(words.strip()),
        DURATION: round(end - start, DIGITS),
        OFFSET: start,
        SPEAKER: None if cells[2] == _UNKNOWN else cells[2],
        _CHANNEL: cells[1],
        _LABEL: label,
    }
