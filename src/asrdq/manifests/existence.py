"""Which paths exist on the side that they are written for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from asrdq.errors import UsageError
from asrdq.places import is_remote

Advance = Callable[[int], object]
Check = Callable[[set[str], Advance], set[str]]
"""Returns which of some paths do not exist; told of progress in paths."""

_THREADS = 16
_AT_ONCE = 4096
_BLOCK_BYTES = 1 << 20


def missing_here(paths: set[str], advance: Advance) -> set[str]:
    """Return which paths are no regular file on this machine; an address is none."""
    missing = set()
    with ThreadPoolExecutor(_THREADS) as pool:
        ordered = sorted(paths)
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            found = pool.map(_is_file, some)
            missing |= {path for path, there in zip(some, found, strict=True) if not there}
            advance(len(some))
    return missing


def _is_file(path: str) -> bool:
    return not is_remote(path) and os.path.isfile(path)  # noqa: PTH113 never raises


def listed_in(listing: Path) -> Check:
    """Return a check against a list of files that was made on the other side.

    The listing has a path a line, as `find /data -type f` gives them, or between NUL bytes, as
    `-print0` does; `-` is standard input.
    """

    def missing(paths: set[str], advance: Advance) -> set[str]:
        left = {path.encode() for path in paths}
        lines = 0
        for line in _lines(listing):
            lines += 1
            if not line.startswith(b"/") and b"://" not in line:
                raise UsageError(
                    f"line {lines} is not a whole path: {line[:80].decode('utf-8', 'replace')!r}",
                    where=str(listing),
                    hint="make the listing with: find /data -type f",
                )
            if line in left:
                left.remove(line)
                advance(1)
        if not lines:
            raise UsageError("the listing is empty", where=str(listing))
        return {path.decode() for path in left}

    return missing


def _lines(listing: Path) -> Iterator[bytes]:
    try:
        if str(listing) == "-":
            yield from _cut(sys.stdin.buffer)
        else:
            with listing.open("rb") as file:
                yield from _cut(file)
    except OSError as error:
        raise UsageError(
            f"the listing cannot be read: {error.strerror}", where=str(listing)
        ) from error


def _cut(stream: BinaryIO) -> Iterator[bytes]:
    block = stream.read(_BLOCK_BYTES)
    end = b"\0" if b"\0" in block else b"\n"
    rest = b""
    while block:
        *lines, rest = (rest + block).split(end)
        yield from (line.removesuffix(b"\r") for line in lines if line)
        block = stream.read(_BLOCK_BYTES)
    if rest:
        yield rest.removesuffix(b"\r")
