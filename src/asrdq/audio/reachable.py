"""Audio that nobody can read from here: what is refused instead of being called bad."""

from __future__ import annotations

from collections.abc import Sequence

from asrdq.errors import DataError, UsageError
from asrdq.places import is_remote


def refuse_remote(files: Sequence[str]) -> None:
    """Refuse audio that lies at addresses, before any work on it starts.

    Raises:
        UsageError: Some files are addresses such as `s3://…`.
    """
    remote = [file for file in files if is_remote(file)]
    if remote:
        raise UsageError(
            f"{len(remote):,} clips lie at addresses such as {remote[0]}; audio is read from disks",
            hint="copy them to a disk and ingest the manifest with --audio-root",
        )


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
