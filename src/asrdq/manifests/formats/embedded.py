"""Audio that comes inside a manifest: rows with their clips, in chunks of bounded size."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from asrdq.manifests.formats.audio_headers import audio_header
from asrdq.manifests.formats.audio_names import AUDIO_SUFFIXES
from asrdq.manifests.formats.protocol import Chunk, Clip, Parsed
from asrdq.manifests.formats.records import Records, parse_records
from asrdq.manifests.rejects import Reject

if TYPE_CHECKING:
    import pyarrow as pa

CLIP_BYTES_A_CHUNK = 32 << 20
_ROWS_A_CHUNK = 2_000
_MAGIC = (
    (b"RIFF", ".wav"),
    (b"fLaC", ".flac"),
    (b"OggS", ".ogg"),
    (b"NIST_1A", ".sph"),
    (b"ID3", ".mp3"),
    (b"\xff\xfb", ".mp3"),
)

ClipRow = tuple[int, dict[str, Any], Clip]
"""A row with the line it stands on and its audio."""


@dataclass
class Clips:
    """Rows and rejects of a chunk, and the clip of each row."""

    records: Records = field(default_factory=Records)
    clips: list[Clip] = field(default_factory=list)
    size: int = 0

    def add(self, item: ClipRow | Reject) -> None:
        """Add a row with its clip, or a reject."""
        if isinstance(item, Reject):
            self.records.add(item)
            return
        line, row, clip = item
        self.records.add((line, row))
        self.clips.append(clip)
        self.size += len(clip.content)


def clip_of(content: bytes, name: str) -> Clip:
    """Return a clip whose kind is told by its name, or else by how it begins."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in AUDIO_SUFFIXES:
        suffix = next((kind for magic, kind in _MAGIC if content.startswith(magic)), ".audio")
    return Clip(content, suffix)


def clip_chunks(
    items: Iterable[ClipRow | Reject],
    consumed: Callable[[], int] = lambda: 0,
    file: str | None = None,
) -> Iterator[Chunk]:
    """Gather rows with clips into chunks for `parse_clips`.

    Args:
        items: In order.
        consumed: Tells how many bytes were read since it was last asked.
        file: The file that the lines stand in, where that is not the path that was given.
    """
    gathered = Clips()
    for item in items:
        gathered.add(item)
        if gathered.size >= CLIP_BYTES_A_CHUNK or len(gathered.records) >= _ROWS_A_CHUNK:
            yield Chunk(b"", 1, gathered, consumed(), file)
            gathered = Clips()
    yield Chunk(b"", 1, gathered, consumed(), file)


def clip_durations(clips: Sequence[Clip | None]) -> pa.Array:
    """Return the seconds each clip lasts, null where its header does not tell."""
    import pyarrow as pa

    headers = [audio_header(io.BytesIO(clip.content)) if clip else None for clip in clips]
    return pa.array([header.duration_s if header else None for header in headers], pa.float64())


def parse_clips(gathered: Clips, duration: str) -> Parsed:
    """Return rows with their clips, and how long each is where no row says it.

    Args:
        gathered: What `clip_chunks` gave.
        duration: What the column of durations is called.
    """
    unknown = [row for row in gathered.records.rows if row.get(duration) is None]
    clips = zip(gathered.records.rows, gathered.clips, strict=True)
    lengths = clip_durations([clip for row, clip in clips if row.get(duration) is None])
    for row, length in zip(unknown, lengths.to_pylist(), strict=True):
        row[duration] = length
    return replace(parse_records(gathered.records), clips=gathered.clips)
