"""Folders of audio files whose names say what they are: `{label}_{speaker}_{index}.wav`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from asrdq.errors import UsageError
from asrdq.manifests.columns import AUDIO_PATH, CANONICAL, NUMBERS, Aliases
from asrdq.manifests.formats.audio_headers import parse_with_durations
from asrdq.manifests.formats.audio_names import AUDIO_SUFFIXES, shown_name
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import Record, record_chunks
from asrdq.manifests.rejects import Reject, RejectReason

_PLACE = re.compile(r"\{(\w*)\}")
_FILES_A_STEP = 500


class PatternFormat:
    """A folder of audio files; the line of a row is the number of its file in order of names.

    A `{name}` stands for anything but a `/`, `{}` for what is not to be kept. A pattern without
    a `/` is about the names of files in all folders below.
    """

    name: ClassVar[str] = "pattern"
    description: ClassVar[str] = "folder of audio files, with --pattern for their names"
    typed: ClassVar[bool] = True
    aliases: Aliases = {column: (column,) for column in CANONICAL}  # noqa: RUF012

    def __init__(self, pattern: str | None = None) -> None:
        self._pattern = pattern
        self._names = compiled(pattern) if pattern else None

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return False: a folder of audio files says nothing without a pattern."""
        return False

    def split(self, path: Path) -> Iterator[Chunk]:
        """List the audio files of a folder in order of their paths."""
        if self._names is None:
            hint = "add --pattern '{label}_{speaker}_{index}.wav', say"
            raise UsageError("the names of the files need a pattern", where=str(path), hint=hint)
        if not path.is_dir():
            raise UsageError("is no folder", where=str(path))
        for chunk in record_chunks(self._rows(path), size=_FILES_A_STEP):
            yield Chunk(b"", chunk.first_line, (chunk.context, path))

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make rows a table, with how long each file is."""
        return parse_with_durations(*chunk.context)

    def _rows(self, folder: Path) -> Iterator[Record | Reject]:
        assert self._names is not None and self._pattern is not None
        for number, path in enumerate(_files(folder), 1):
            asked = path if "/" in self._pattern else path.rpartition("/")[2]
            found = self._names.fullmatch(asked)
            if (shown := shown_name(path)) != path and Path(path).suffix.lower() in AUDIO_SUFFIXES:
                detail, file = "its name is not valid UTF-8", str(folder / shown)
                yield Reject(number, RejectReason.INVALID_UTF8, detail, shown, file)
            elif found:
                yield number, {AUDIO_PATH: path, **found.groupdict()}
            elif Path(path).suffix.lower() in AUDIO_SUFFIXES:
                detail = f"its name does not fit {self._pattern}"
                file = str(folder / path)
                yield Reject(number, RejectReason.NO_MATCH, detail, path, file)


def compiled(pattern: str) -> re.Pattern[str]:
    """Return the expression that a pattern stands for.

    Raises:
        UsageError: A name is there twice, or stands for what a name cannot tell.

    >>> compiled("{label}_{speaker}_{}.wav").fullmatch("7_jackson_32.wav").groupdict()
    {'label': '7', 'speaker': 'jackson'}
    """
    names = [name for name in _PLACE.findall(pattern) if name]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not set(names).isdisjoint({AUDIO_PATH, *NUMBERS}):
        wrong = twice[0] if twice else "a path or time"
        raise UsageError(f"the pattern '{pattern}' names {wrong} where it cannot stand")
    if any(not name.isidentifier() for name in names):
        raise UsageError(f"the pattern '{pattern}' has a name that no column can have")
    pieces = _PLACE.split(pattern)
    literal, places = pieces[::2], pieces[1::2]
    made = re.escape(literal[0])
    for name, after in zip(places, literal[1:], strict=True):
        made += (f"(?P<{name}>[^/]+?)" if name else "[^/]*?") + re.escape(after)
    return re.compile(made)


def _files(folder: Path) -> Iterator[str]:
    """Give the relative paths of all files below a folder, folder by folder in order."""
    for at, below, files in os.walk(folder):
        below.sort()
        for name in sorted(files):
            yield (Path(at) / name).relative_to(folder).as_posix()
