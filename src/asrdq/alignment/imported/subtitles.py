"""Segments of SRT and WebVTT, with the lines they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from asrdq.alignment.imported.times import ImportedWord
from asrdq.errors import DataError

_ARROW: Final = "-->"
_TIME: Final = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES: Final = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?", re.ASCII)
_TAGS: Final = re.compile(r"<[^>]*>|\{\\[^}]*\}")
_WEBVTT: Final = "WEBVTT"


def read_subtitles(text: str, file: str, *, is_webvtt: bool) -> list[ImportedWord]:
    """Return the segments of a file, each with the line of its times.

    Args:
        text: Its content.
        file: Its name, for places and errors.
        is_webvtt: Whether a segment ends at an empty line; one of SRT reaches to the next.

    Raises:
        DataError: It is no file of subtitles, or a line of times cannot be read.
    """
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if is_webvtt and not lines[0].startswith(_WEBVTT):
        raise DataError(f"does not begin with {_WEBVTT}, as WebVTT does", where=f"{file}:1")
    begins = [at for at, line in enumerate(lines) if _ARROW in line]
    if not begins:
        raise DataError("has no line of times such as 00:00:01,500 --> 00:00:02,000", where=file)
    return [
        _segment(lines[begin:end], f"{file}:{begin + 1}", is_webvtt, end == len(lines))
        for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True)
    ]


def _segment(lines: list[str], place: str, is_webvtt: bool, is_last: bool) -> ImportedWord:
    times = _TIMES.fullmatch(lines[0])
    if times is None:
        raise DataError(f"its times cannot be read: {lines[0].strip()[:60]}", where=place)
    said = takewhile(str.strip, lines[1:]) if is_webvtt else _numbered(lines[1:], is_last)
    begin, end = _seconds(times.groups()[:4]), _seconds(times.groups()[4:])
    return ImportedWord(_TAGS.sub("", "\n".join(said)), begin, end, place=place)


def _numbered(lines: list[str], is_last: bool) -> Iterator[str]:
    """Give the lines of a segment of SRT without the number of the next."""
    filled = [line for line in lines if line.strip()]
    if not is_last and filled and filled[-1].strip().isdecimal():
        filled.pop()
    yield from filled


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return 3600 * int(hours) + 60 * int(minutes) + float(f"{seconds}.{fraction}")
