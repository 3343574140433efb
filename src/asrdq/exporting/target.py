"""What audio may be converted to."""

from __future__ import annotations

from enum import StrEnum


class AudioTarget(StrEnum):
    """A kind of file: 16 kHz, mono, 16 bits in both cases."""

    WAV16K = "wav16k"
    FLAC16K = "flac16k"

    @property
    def suffix(self) -> str:
        """Suffix of the files."""
        return f".{self.removesuffix('16k')}"
