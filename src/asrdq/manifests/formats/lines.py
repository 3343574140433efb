"""Cutting a file into chunks at line ends, without ever holding more than one chunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asrdq.manifests.formats.opening import opened
from asrdq.manifests.formats.protocol import BLOCK_BYTES, Chunk
from asrdq.manifests.rejects import RAW_CHARACTERS

BOM = b"\xef\xbb\xbf"
_LINE_END = ord("\n")
_PIECE_BYTES = 1 << 18
_FIRST_SHARE = 16
TOO_LONG = "too_long"
"""Context of a chunk that is only the beginning of one line longer than a block."""


def line_chunks(path: Path) -> Iterator[Chunk]:
    """Give chunks of whole lines of a plain or gzip file."""
    with opened(path) as source:
        for chunk in split_lines(source.stream):
            yield replace(chunk, consumed=source.consumed())


def split_lines(stream: BinaryIO, block_bytes: int = BLOCK_BYTES) -> Iterator[Chunk]:
    """Give chunks of whole lines; a line longer than a block comes as its beginning alone.

    The first chunk is a small one: what comes after waits for what it shows.
    """
    line, size = 1, max(1, block_bytes // _FIRST_SHARE)
    read = _read_sought if stream.seekable() else _read_on
    while True:
        data, rest_bytes, ended = read(stream, size, block_bytes)
        size = block_bytes
        if not data:
            return
        if line == 1:
            data = data.removeprefix(BOM)
        if rest_bytes == block_bytes and not ended:
            whole, end, head = data.rpartition(b"\n")
            if end:
                yield Chunk(whole + end, line)
                line += whole.count(b"\n") + 1
            yield Chunk(head[: 4 * RAW_CHARACTERS], line, TOO_LONG)
            _skip_line(stream, block_bytes)
            line += 1
            continue
        yield Chunk(data, line)
        line += count_lines(data)


def _read_sought(stream: BinaryIO, size: int, longest: int) -> tuple[bytes, int, bool]:
    """Return a block up to a line end, how long its last line is, and whether that has an end.

    The block has `size` bytes, and what its last line has beyond, up to `longest` bytes.

    One read of the right length: no bytes are moved to put the pieces together.
    """
    start = stream.tell()
    stream.seek(start + size - 1)
    rest = stream.readline(longest)
    stream.seek(start)
    return stream.read(size - 1 + len(rest)), len(rest), rest.endswith(b"\n")


def _read_on(stream: BinaryIO, size: int, longest: int) -> tuple[bytes, int, bool]:
    """Do the same on a stream that only goes on."""
    block = stream.read(size - 1)
    rest = stream.readline(longest)
    return block + rest, len(rest), rest.endswith(b"\n")


def count_lines(data: bytes) -> int:
    """Return the number of line ends; several times quicker than `bytes.count`."""
    content = np.frombuffer(data, dtype=np.uint8)
    pieces = (content[at : at + _PIECE_BYTES] for at in range(0, len(content), _PIECE_BYTES))
    return sum(int(np.count_nonzero(piece == _LINE_END)) for piece in pieces)


def _skip_line(stream: BinaryIO, block_bytes: int) -> None:
    while block := stream.readline(block_bytes):
        if block.endswith(b"\n"):
            return
