"""Audio that nobody can read from here: what is refused instead of being called bad."""

from __future__ import annotations

from collections.abc import Sequence

from asrdq.errors import DataError
from asrdq.places import address, is_remote


def check_reachable(files: Sequence[str]) -> None:
    """Make sure that the buckets of audio on S3 answer, before any work on it starts.

    Raises:
        UsageError: A file is an address of another kind, or credentials are in it.
        S3Error: A server cannot be reached, there is no such bucket, or it refuses everything.
    """
    remote = [address(file) for file in files if is_remote(file)]
    if remote:
        from asrdq.s3 import check_readable

        for first in {path.bucket: path for path in reversed(remote)}.values():
            check_readable(first)


def nothing_readable(clips: int, manifest: str) -> DataError:
    """Return the error for a manifest of which not one clip can be read.

    A wrong audio root makes such a manifest, rather than bad clips.

    Args:
        clips: How many clips were tried.
        manifest: Name and version.
    """
    return DataError(
        f"not one of {clips:,} clips of {manifest} could be read",
        hint="if the audio has moved, set audio_root in asrdq.yaml",
    )
