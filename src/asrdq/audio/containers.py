"""What a file's own header promises, where the decoding library does not say.

libsndfile quietly reads as much as there is of a file that was cut off. The header still says
how much there was.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

STREAMED_BYTES = 0x7FFFF000
"""Sizes from here on are written by programs that did not know the size (a pipe)."""

OGG_TAIL_BYTES = 70_000
"""More than the largest Ogg page (65,307 bytes)."""

SPHERE_HEADER_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Payload:
    """Bytes of audio that a header promises, and how many of them are in the file."""

    promised: int
    present: int

    @property
    def cut_off(self) -> bool:
        """Whether some of the promised bytes are missing."""
        return self.present < self.promised


def find_payload(path: Path) -> Payload | None:
    """Return what the header of a WAV, RF64, AIFF, AU or SPHERE file promises, else None."""
    size = path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(12)
        if magic[:4] in (b"RIFF", b"RF64") and magic[8:12] == b"WAVE":
            return _chunk_payload(file, size, b"data", "<")
        if magic[:4] == b"FORM" and magic[8:12] in (b"AIFF", b"AIFC"):
            return _chunk_payload(file, size, b"SSND", ">")
        if magic[:4] == b".snd":
            start, promised = struct.unpack(">II", magic[4:12])
            return _payload(start, promised, size)
        if magic[:7] == b"NIST_1A":
            return _sphere_payload(read_sphere_header(path), size)
    return None


def _payload(start: int, promised: int, size: int) -> Payload | None:
    if promised >= STREAMED_BYTES:
        return None
    return Payload(promised, max(0, min(promised, size - start)))


def _chunk_payload(file: BinaryIO, size: int, name: bytes, order: str) -> Payload | None:
    long_size: int | None = None
    while len(head := file.read(8)) == 8:
        chunk, length = head[:4], struct.unpack(order + "I", head[4:])[0]
        start = file.tell()
        if chunk == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
        if chunk == name:
            if long_size is not None:
                return Payload(long_size, max(0, min(long_size, size - start)))
            return _payload(start, length, size)
        file.seek(start + length + length % 2)
    return None


def read_sphere_header(path: Path) -> dict[str, str]:
    """Return the fields of a NIST SPHERE header, empty where the file is not one."""
    with path.open("rb") as file:
        lines = file.read(SPHERE_HEADER_BYTES).split(b"\n")
    if lines[0].strip() != b"NIST_1A" or len(lines) < 2:
        return {}
    fields = {"header_bytes": lines[1].strip().decode("ascii", "replace")}
    for line in lines[2:]:
        parts = line.decode("ascii", "replace").split(None, 2)
        if parts[:1] == ["end_head"]:
            break
        if len(parts) == 3:
            fields[parts[0]] = parts[2].strip()
    return fields


def _sphere_payload(fields: dict[str, str], size: int) -> Payload | None:
    names = ("header_bytes", "sample_count", "sample_n_bytes")
    values = [fields.get(name, "") for name in names]
    if not all(value.isdigit() for value in values):
        return None
    start, count, width = (int(value) for value in values)
    channels = fields.get("channel_count", "1")
    return _payload(start, count * width * (int(channels) if channels.isdigit() else 1), size)


def ends_inside_ogg_page(path: Path) -> bool:
    """Return whether an Ogg file stops before its last page is complete."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - OGG_TAIL_BYTES))
        tail = file.read()
    start = tail.rfind(b"OggS")
    page = tail[start:]
    if start < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return True
    return len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


def looks_like_mpeg(path: Path, suffix: str) -> bool:
    """Return whether a file is called as MP3 streams are, or begins with a tag or a frame."""
    with path.open("rb") as file:
        head = file.read(3)
    frame_sync = len(head) == 3 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return head == b"ID3" or frame_sync or suffix == ".mp3"


def states_mp3_length(path: Path) -> bool:
    """Return whether an MP3 file has a Xing, Info or VBRI header, which counts its frames."""
    with path.open("rb") as file:
        head = file.read(10)
        tag_bytes = 0
        if head[:3] == b"ID3" and len(head) == 10:
            parts = struct.unpack("4B", head[6:10])
            tag_bytes = 10 + sum(
                part << shift for part, shift in zip(parts, (21, 14, 7, 0), strict=True)
            )
        file.seek(tag_bytes)
        first_frames = file.read(4096)
    return any(mark in first_frames for mark in (b"Xing", b"Info", b"VBRI"))
