"""What identifies audio: its samples by content, a file by path, size and time."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asrdq.audio.readers import Samples


class PcmHash:
    """A running hash of decoded samples, equal for equal samples in any lossless container.

    BLAKE2b of 128 bits over the rate, the channels and the interleaved float32 samples.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._hash = hashlib.blake2b(f"{rate}/{channels}/".encode(), digest_size=16)

    def add(self, block: Samples) -> None:
        """Take in a block of samples (n, channels)."""
        self._hash.update(np.ascontiguousarray(block, dtype="<f4").data)

    def hex(self) -> str:
        """Return the hash of everything added, as 32 hexadecimal digits."""
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Enough to know that a file was not changed since it was last read."""

    path: str
    size_bytes: int
    mtime_ns: int


def file_identity(path: str | os.PathLike[str]) -> FileIdentity | None:
    """Return the identity of a file without reading it, None where there is none."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return FileIdentity(os.fspath(path), status.st_size, status.st_mtime_ns)
