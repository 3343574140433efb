"""Praat's TextGrid: each interval with words is a row; the audio lies beside the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from asrdq.errors import DataError, UsageError
from asrdq.manifests.columns import AUDIO_PATH, DURATION, OFFSET, TEXT, Aliases
from asrdq.manifests.formats.audio_names import find_audio, shown_name
from asrdq.manifests.formats.opening import read_whole
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import Record, parse_records, record_chunks
from asrdq.manifests.formats.seconds import DIGITS
from asrdq.manifests.rejects import Reject, RejectReason

_LARGEST_BYTES = 256 << 20
_TIER = "tier"
_SUFFIX = ".textgrid"
_TOKEN = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|(?<![\w\[.])(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w\].])'
    r"|(?P<flag><\w+>)|!.*"
)
"""Values. All else, such as `xmin =` or `intervals [2]:`, says no more than their order does."""


class TextGridFormat:
    """A TextGrid in its long or short form, or a folder of them; tiers of points are left out."""

    name: ClassVar[str] = "textgrid"
    description: ClassVar[str] = "Praat TextGrid, a row for each interval with words"
    typed: ClassVar[bool] = True
    aliases: Aliases = {name: (name,) for name in (AUDIO_PATH, TEXT, DURATION, OFFSET)}  # noqa: RUF012

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether it begins as a TextGrid, or is a folder with one."""
        if path.is_dir():
            return bool(_files(path))
        begin = head[:400].replace(b"\0", b"")
        return b"ooTextFile" in begin and b"TextGrid" in begin

    def split(self, path: Path) -> Iterator[Chunk]:
        """Read one file after the other; a damaged one in a folder is rejected as a whole."""
        files = _files(path) if path.is_dir() else [path]
        if not files:
            raise UsageError("has no TextGrid in it", where=str(path))
        for file in files:
            size = file.stat().st_size
            rows = _sound_rows(file) if path.is_dir() else _rows(file)
            for chunk in record_chunks(rows, file=shown_name(str(file))):
                yield Chunk(b"", chunk.first_line, chunk.context, size, chunk.file)
                size = 0

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make rows a table."""
        return parse_records(chunk.context)


class _Token(NamedTuple):
    line: int
    value: str | float


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.lower().endswith(_SUFFIX))


def _sound_rows(file: Path) -> Iterator[Record | Reject]:
    try:
        rows = list(_rows(file))
    except DataError as error:
        rows = [Reject(1, RejectReason.BAD_FILE, error.message, shown_name(file.name))]
    yield from rows


def _rows(file: Path) -> Iterator[Record | Reject]:
    if (shown := shown_name(str(file))) != str(file):
        raise DataError("its name is not valid UTF-8", where=shown, hint="rename it")
    audio = find_audio(file.parent, file.stem) or f"{file.stem}.wav"
    for line, tier, start, end, text in read_intervals(file):
        words = " ".join(text.split())
        if not words:
            continue
        if end <= start:
            detail = f"it ends at {end:g} s and begins at {start:g} s"
            yield Reject(line, RejectReason.BAD_INTERVAL, detail, words)
            continue
        row: dict[str, Any] = {AUDIO_PATH: audio, TEXT: words, OFFSET: start, _TIER: tier}
        yield line, {**row, DURATION: round(end - start, DIGITS)}


def read_intervals(file: Path) -> Iterator[tuple[int, str, float, float, str]]:
    """Give line, tier, begin, end (in seconds) and text of each interval of a TextGrid.

    Raises:
        DataError: It is no complete TextGrid.
    """
    tokens = _tokens(_decoded(file))
    try:
        _head(tokens)
        for _ in range(_count(tokens)):
            yield from _intervals(tokens)
    except (TypeError, ValueError, OverflowError):
        raise DataError("is no complete TextGrid", where=str(file)) from None


def _decoded(file: Path) -> str:
    content = read_whole(file, _LARGEST_BYTES)
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        detail = f"byte {error.start + 1} is not valid {encoding}"
        raise DataError(detail, where=str(file)) from None


def _tokens(text: str) -> Iterator[_Token]:
    line, counted = 1, 0
    for found in _TOKEN.finditer(text):
        line, counted = line + text.count("\n", counted, found.start()), found.start()
        if found["text"] is not None:
            yield _Token(line, found["text"].replace('""', '"'))
        elif found["number"] is not None:
            yield _Token(line, float(found["number"]))
        elif found["flag"] is not None:
            yield _Token(line, found["flag"])


def _head(tokens: Iterator[_Token]) -> None:
    """Read up to the number of tiers."""
    values = [_next(tokens).value for _ in range(5)]
    if values[:2] != ["ooTextFile", "TextGrid"] or values[4] != "<exists>":
        raise ValueError(values)


def _intervals(tokens: Iterator[_Token]) -> Iterator[tuple[int, str, float, float, str]]:
    """Give line, tier, begin, end and text of each interval of the next tier."""
    kind, name = _text(tokens), _text(tokens)
    _number(tokens), _number(tokens)
    for _ in range(_count(tokens)):
        first = _next(tokens)
        if kind != "IntervalTier":
            _text(tokens)
            continue
        yield first.line, name, float(first.value), _number(tokens), _text(tokens)


def _next(tokens: Iterator[_Token]) -> _Token:
    found = next(tokens, None)
    if found is None:
        raise ValueError("the file ends")
    return found


def _count(tokens: Iterator[_Token]) -> int:
    return int(_number(tokens))


def _number(tokens: Iterator[_Token]) -> float:
    value = _next(tokens).value
    if isinstance(value, str):
        raise TypeError(value)
    return value


def _text(tokens: Iterator[_Token]) -> str:
    value = _next(tokens).value
    if not isinstance(value, str):
        raise TypeError(value)
    return value
