"""The files of a Kaldi data folder: a key and a value a line, ordered by key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from asrdq.manifests.formats.opening import Opened, opened
from asrdq.manifests.formats.protocol import BLOCK_BYTES
from asrdq.manifests.formats.records import text_of
from asrdq.manifests.rejects import Reject, RejectReason, shorten

WAV_SCP, SEGMENTS, TEXTS = "wav.scp", "segments", "text"
UTT2SPK, SPK2GENDER = "utt2spk", "spk2gender"
RECO2DUR, UTT2DUR = "reco2dur", "utt2dur"
GENDER = "gender"


class Entry(NamedTuple):
    """One line: where it stands, its key, and what follows the key."""

    line: int
    key: str
    value: str


class KaldiFiles:
    """The open files of a folder, counted together for the progress bar.

    Attributes:
        rejects: Lines of the small files that were not taken.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._open: list[Opened] = []
        self.rejects: list[Reject] = []

    def path(self, name: str) -> str:
        """Return the path of a file of the folder."""
        return str(self._folder / name)

    def has(self, name: str) -> bool:
        """Return whether the folder has such a file."""
        return (self._folder / name).is_file()

    def consumed(self) -> int:
        """Return how many bytes of all files were read since this was last asked."""
        return sum(source.consumed() for source in self._open)

    def entries(self, name: str) -> Iterator[Entry | Reject]:
        """Give the lines of a file that are not blank; nothing where there is no such file."""
        if not self.has(name):
            return
        source = self._stack.enter_context(opened(self._folder / name))
        self._open.append(source)
        path, number = self.path(name), 0
        while raw := source.stream.readline(BLOCK_BYTES):
            number += 1
            text = text_of(raw, number, path)
            if isinstance(text, Reject):
                yield text
            elif len(raw) == BLOCK_BYTES:
                yield self._too_long(name, number, raw)
                while len(raw) == BLOCK_BYTES:
                    raw = source.stream.readline(BLOCK_BYTES)
            elif words := text.split(maxsplit=1):
                yield Entry(number, words[0], words[1].strip() if len(words) > 1 else "")

    def table(self, name: str) -> dict[str, str]:
        """Return the values of a small file by key."""
        found: dict[str, Entry] = {}
        for entry in self.entries(name):
            if isinstance(entry, Reject):
                self.rejects.append(entry)
            elif entry.key in found:
                self.rejects.append(self.repeated(name, entry, found[entry.key]))
            else:
                found[entry.key] = entry
        return {key: entry.value for key, entry in found.items()}

    def repeated(self, name: str, entry: Entry, first: Entry) -> Reject:
        """Return the reject of a line whose key an earlier line has."""
        detail = f"'{entry.key}' stands on line {first.line} already"
        raw = shorten(f"{entry.key} {entry.value}".encode())
        return Reject(entry.line, RejectReason.DUPLICATE_ID, detail, raw, self.path(name))

    def _too_long(self, name: str, line: int, raw: bytes) -> Reject:
        detail = f"longer than {BLOCK_BYTES >> 20} MB"
        return Reject(line, RejectReason.TOO_LONG, detail, shorten(raw), self.path(name))


class Lookup:
    """Values of one file asked for in about the order of its keys.

    What is read ahead of the key that is asked for is kept. Kaldi orders its files alike, so
    that is next to nothing; in any other order it is right as well, and takes memory.
    """

    def __init__(self, files: KaldiFiles, name: str) -> None:
        self.name, self._files = name, files
        self.present = files.has(name)
        self._entries = files.entries(name)
        self._ahead: dict[str, Entry] = {}
        self.rejects: list[Reject] = []

    def take(self, key: str) -> Entry | None:
        """Return the line of a key, once."""
        if key in self._ahead:
            return self._ahead.pop(key)
        for entry in self._entries:
            if isinstance(entry, Reject):
                self.rejects.append(entry)
            elif entry.key == key:
                return entry
            elif entry.key in self._ahead:
                first = self._ahead[entry.key]
                self.rejects.append(self._files.repeated(self.name, entry, first))
            else:
                self._ahead[entry.key] = entry
        return None

    def rest(self) -> Iterator[Entry]:
        """Give the lines that nobody asked for."""
        yield from self._ahead.values()
        for entry in self._entries:
            if isinstance(entry, Reject):
                self.rejects.append(entry)
            else:
                yield entry
