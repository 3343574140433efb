"""Cutting a file into chunks at line ends, without ever holding more than one chunk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from asrdq.manifests.formats.protocol import BLOCK_BYTES, Chunk
from asrdq.manifests.rejects import RAW_CHARACTERS

BOM = b"\xef\xbb\xbf"
TOO_LONG = "too_long"
"""Context of a chunk that is only the beginning of one line longer than a block."""


def split_lines(stream: BinaryIO, block_bytes: int = BLOCK_BYTES) -> Iterator[Chunk]:
    """Give chunks of whole lines; a line longer than a block comes as its beginning alone."""
    line, rest = 1, b""
    while block := stream.read(block_bytes):
        if line == 1 and not rest:
            block = block.removeprefix(BOM)
        end = block.rfind(b"\n") + 1
        if end:
            data = rest + block[:end]
            yield Chunk(data, line)
            line += data.count(b"\n")
            rest = block[end:]
        elif len(rest) + len(block) > block_bytes:
            head = (rest + block)[: 4 * RAW_CHARACTERS]
            yield Chunk(head, line, TOO_LONG)
            rest = _skip_line(stream, block_bytes)
            line += 1
        else:
            rest += block
    if rest:
        yield Chunk(rest, line)


def _skip_line(stream: BinaryIO, block_bytes: int) -> bytes:
    """Read on to the end of the line and return what follows it in the last block read."""
    while block := stream.read(block_bytes):
        _, end, after = block.partition(b"\n")
        if end:
            return after
    return b""
