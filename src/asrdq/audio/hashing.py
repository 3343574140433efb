"""What identifies audio: its samples or its bytes by content, a file by path, size and time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from asrdq.audio.readers import Samples
from asrdq.audio.reasons import AudioReason
from asrdq.engine import run_tasks
from asrdq.errors import ToolError
from asrdq.places import S3Path, address, is_remote

if TYPE_CHECKING:
    from asrdq.settings import RaySettings

T = TypeVar("T")

_HASHING_THREADS: Final = 4
_REQUESTS_AT_ONCE: Final = 16
_FILES_AT_ONCE: Final = 32


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
    """Return the identity of a file without reading it, None where there is none.

    Raises:
        S3Error: The server of an address cannot be reached.
    """
    if is_remote(os.fspath(path)):
        return _object_identity(os.fspath(path))
    try:
        status = os.stat(path)  # noqa: PTH116  (a third of the time, for millions of files)
    except (OSError, ValueError):
        return None
    return FileIdentity(os.fspath(path), status.st_size, status.st_mtime_ns)


def _object_identity(audio: str) -> FileIdentity | None:
    from asrdq.s3 import stat_object

    found = _unless_withheld(stat_object, audio)
    return FileIdentity(audio, *found) if found else None


def _unless_withheld(ask: Callable[[S3Path], T], audio: str) -> T | None:
    """Return what a server says of an object; None where there is none, or it is refused."""
    from asrdq.s3_errors import S3Error

    try:
        return ask(address(audio))
    except FileNotFoundError:
        return None
    except S3Error as error:
        if error.denied:
            return None
        raise


def file_identities(paths: Iterable[str]) -> dict[str, FileIdentity | None]:
    """Return the identity of each file, as `file_identity`; servers are asked many at once."""
    distinct = list(dict.fromkeys(paths))
    remote = [path for path in distinct if is_remote(path)]
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        found = dict(zip(remote, pool.map(file_identity, remote), strict=True))
    return {path: found[path] if path in found else file_identity(path) for path in distinct}


def file_hashes(paths: Iterable[str]) -> dict[str, str | None]:
    """Return the hash of the bytes of each file, None where it cannot be read.

    Raises:
        S3Error: The server of an address cannot be reached.
    """
    distinct = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(_HASHING_THREADS) as pool:
        return dict(zip(distinct, pool.map(_file_hash, distinct), strict=True))


def file_hashes_on(
    cluster: RaySettings,
    paths: Iterable[str],
    workers: int = 0,
    on_file: Callable[[int], None] = lambda _files: None,
) -> dict[str, str | None]:
    """Return what `file_hashes` does, with the bytes read by the workers of a Ray cluster.

    Args:
        cluster: The cluster.
        paths: Files and addresses.
        workers: How many; 0 for as many as it has room for.
        on_file: Told the number of files that were hashed.

    Raises:
        ToolError: A worker cannot do it: the server of an address does not answer it.
    """
    distinct = list(dict.fromkeys(paths))
    pieces = (distinct[at : at + _FILES_AT_ONCE] for at in range(0, len(distinct), _FILES_AT_ONCE))
    found: dict[str, str | None] = {}
    for outcome in run_tasks(file_hashes, pieces, workers=workers, cluster=cluster):
        if outcome.failure is not None:
            raise ToolError(f"audio cannot be hashed: {outcome.failure.detail}")
        found |= outcome.value or {}
        on_file(len(outcome.item))
    return found


def unread_reason(path: str) -> AudioReason:
    """Return why a file has no hash: it is not there, or its bytes cannot be read.

    Raises:
        S3Error: The server of an address cannot be reached.
    """
    there = file_identity(path) is not None
    return AudioReason.UNREADABLE if there else AudioReason.MISSING


def _file_hash(path: str) -> str | None:
    if is_remote(path):
        return _unless_withheld(_object_hash, path)
    try:
        if not Path(path).is_file():
            return None
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except (OSError, ValueError):
        return None


def _object_hash(path: S3Path) -> str:
    from asrdq.s3 import pieces

    digest = hashlib.blake2b(digest_size=16)
    for piece in pieces(path):
        digest.update(piece)
    return digest.hexdigest()
