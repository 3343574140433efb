"""Kaldi data folders: wav.scp, segments, text, utt2spk, spk2gender, reco2dur, utt2dur."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from asrdq.errors import UsageError
from asrdq.manifests.columns import (
    AUDIO_PATH,
    DURATION,
    OFFSET,
    SPEAKER,
    TEXT,
    UTT_ID,
    Aliases,
)
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.kaldi_lines import (
    GENDER,
    RECO2DUR,
    SEGMENTS,
    SPK2GENDER,
    TEXTS,
    UTT2DUR,
    UTT2SPK,
    WAV_SCP,
    Entry,
    KaldiFiles,
    Lookup,
)
from asrdq.manifests.formats.kaldi_writing import KaldiWriter
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import Record, parse_records, record_chunks
from asrdq.manifests.formats.seconds import DIGITS, read_seconds
from asrdq.manifests.rejects import Reject, RejectReason, shorten

if TYPE_CHECKING:
    import pyarrow as pa

_NAMES: Final[Aliases] = {
    column: (column,) for column in (UTT_ID, AUDIO_PATH, TEXT, DURATION, OFFSET, SPEAKER)
}


class KaldiFormat:
    """A folder with wav.scp; commands in it are refused, never run."""

    name: ClassVar[str] = "kaldi"
    description: ClassVar[str] = "Kaldi data folder"
    typed: ClassVar[bool] = True
    holds: ClassVar[frozenset[str] | None] = frozenset({*_NAMES, GENDER})
    order: ClassVar[tuple[str, ...]] = (UTT_ID,)
    suffix: ClassVar[str] = ""
    keeps_paths: ClassVar[bool] = True
    aliases: Aliases = _NAMES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether it is a folder with a wav.scp."""
        return (path / WAV_SCP).is_file()

    def split(self, path: Path) -> Iterator[Chunk]:
        """Join the files of the folder by their keys."""
        if not self.sniff(path, b""):
            raise UsageError(f"is no folder with a {WAV_SCP}", where=str(path))
        with ExitStack() as stack:
            files = KaldiFiles(path, stack)
            rows = _Folder(files).rows()
            lines_of = SEGMENTS if files.has(SEGMENTS) else WAV_SCP
            yield from record_chunks(rows, files.consumed, files.path(lines_of))

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make rows a table."""
        return parse_records(chunk.context)

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write a folder; `segments` is there if any row has an offset."""
        with out.folder() as folder, ExitStack() as stack:
            writer = KaldiWriter(folder, stack)
            for batch in rows:
                for row in batch.to_pylist():
                    writer.add(row, out)
            writer.finish()


class _Utterance(NamedTuple):
    """The line an utterance stands on, and what other files say of it."""

    entry: Entry
    text: Entry | None
    speaker: Entry | None


class _Folder:
    """Rows of a folder, one an utterance."""

    def __init__(self, files: KaldiFiles) -> None:
        self._files = files
        self._texts = Lookup(files, TEXTS)
        self._speakers = Lookup(files, UTT2SPK)
        self._genders, self._lengths = files.table(SPK2GENDER), files.table(RECO2DUR)

    def rows(self) -> Iterator[Record | Reject]:
        """Give rows and rejects, and at the end what belongs to no utterance."""
        yield from self._segments() if self._files.has(SEGMENTS) else self._recordings()
        for lookup in (self._texts, self._speakers):
            for entry in lookup.rest():
                detail = f"'{entry.key}' is no utterance of the folder"
                yield self._reject(entry, RejectReason.MISSING_PART, detail, lookup.name)
            yield from lookup.rejects
        yield from self._files.rejects

    def _recordings(self) -> Iterator[Record | Reject]:
        own = Lookup(self._files, UTT2DUR)
        for entry in self._files.entries(WAV_SCP):
            if isinstance(entry, Reject):
                yield entry
            else:
                stated = own.take(entry.key)
                length = stated.value if stated else self._lengths.get(entry.key, "")
                yield self._row(self._utterance(entry), entry, None, read_seconds(length))
        yield from own.rejects

    def _segments(self) -> Iterator[Record | Reject]:
        recordings: dict[str, Entry] = {}
        for entry in self._files.entries(WAV_SCP):
            if isinstance(entry, Reject):
                yield entry
            elif entry.key in recordings:
                yield self._files.repeated(WAV_SCP, entry, recordings[entry.key])
            else:
                recordings[entry.key] = entry
        for entry in self._files.entries(SEGMENTS):
            yield entry if isinstance(entry, Reject) else self._segment(entry, recordings)

    def _utterance(self, entry: Entry) -> _Utterance:
        return _Utterance(entry, self._texts.take(entry.key), self._speakers.take(entry.key))

    def _segment(self, entry: Entry, recordings: dict[str, Entry]) -> Record | Reject:
        utterance, words = self._utterance(entry), entry.value.split()
        start, end = (read_seconds(word) for word in (*words[1:3], "", "")[:2])
        if len(words) not in (3, 4) or start is None or end is None:
            detail = "not UTTERANCE RECORDING START END"
            return self._reject(entry, RejectReason.BAD_LINE, detail, SEGMENTS)
        recording = recordings.get(words[0])
        if recording is None:
            detail = f"its recording '{words[0]}' is not in {WAV_SCP}"
            return self._reject(entry, RejectReason.MISSING_PART, detail, SEGMENTS)
        if end == -1:  # to the end of the recording
            whole = start == 0
            length = read_seconds(self._lengths.get(recording.key, "")) if whole else None
            return self._row(utterance, recording, None if whole else start, length)
        if end <= start:
            detail = f"it ends at {end:g} s and begins at {start:g} s"
            return self._reject(entry, RejectReason.BAD_INTERVAL, detail, SEGMENTS)
        return self._row(utterance, recording, start, round(end - start, DIGITS))

    def _row(
        self, utterance: _Utterance, recording: Entry, start: float | None, duration: float | None
    ) -> Record | Reject:
        entry, text, speaker = utterance
        name = WAV_SCP if entry is recording else SEGMENTS
        if recording.value.endswith("|"):
            place = f"{self._files.path(WAV_SCP)}:{recording.line}"
            detail = f"{place} is a command, and commands are not run: write its output to a file"
            return self._reject(entry, RejectReason.COMMAND_PIPE, detail, name)
        if text is None and self._texts.present:
            detail = f"'{entry.key}' has no line in the file text"
            return self._reject(entry, RejectReason.MISSING_PART, detail, name)
        row: dict[str, Any] = {
            UTT_ID: entry.key,
            AUDIO_PATH: recording.value,
            TEXT: text.value if text else None,
            DURATION: duration,
            OFFSET: start,
            SPEAKER: speaker.value if speaker else None,
        }
        if self._genders:
            row[GENDER] = self._genders.get(speaker.value) if speaker else None
        return entry.line, row

    def _reject(self, entry: Entry, reason: RejectReason, detail: str, name: str) -> Reject:
        raw = shorten(f"{entry.key} {entry.value}".encode())
        return Reject(entry.line, reason, detail, raw, self._files.path(name))
