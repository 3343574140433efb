"""How long audio files are, by their headers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from asrdq.manifests.columns import AUDIO_PATH, DURATION
from asrdq.manifests.formats.protocol import Parsed
from asrdq.manifests.formats.records import Records, parse_records

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class AudioHeader:
    """What the header of an audio file says."""

    sampling_rate: int
    samples: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.sampling_rate


def audio_header(audio: str | BinaryIO) -> AudioHeader | None:
    """Return what the header of a file says; None where there is no file or no header."""
    import soundfile

    try:
        found = soundfile.info(audio)
    except (soundfile.LibsndfileError, OSError):
        return None
    if found.samplerate <= 0 or found.frames <= 0:
        return None
    return AudioHeader(found.samplerate, found.frames)


def header_durations(paths: Sequence[str]) -> pa.Array:
    """Return the seconds each file lasts, null where its header does not tell."""
    import pyarrow as pa

    headers = [audio_header(path) for path in paths]
    return pa.array([header.duration_s if header else None for header in headers], pa.float64())


def parse_with_durations(records: Records, folder: Path) -> Parsed:
    """Return gathered records as a table, with how long each audio file of a folder lasts."""
    paths = [str(folder / row[AUDIO_PATH]) for row in records.rows]
    for row, length in zip(records.rows, header_durations(paths).to_pylist(), strict=True):
        row[DURATION] = length
    return parse_records(records)
