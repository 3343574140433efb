"""Audio paths: the part that identifies a clip, and where it lies on this machine."""

from __future__ import annotations

import posixpath

from asrdq.places import is_remote


def relative_audio(path: str, root: str) -> str:
    """Return the path of a clip relative to its root, which is the same on every mount.

    A path or an address outside the root stays as it is. `.`, `..` and doubled slashes of a path
    are resolved.

    >>> relative_audio("/mnt/a/clips/../clips/x.wav", "/mnt/a")
    'clips/x.wav'
    >>> relative_audio("./clips//x.wav", "/mnt/a")
    'clips/x.wav'
    >>> relative_audio("s3://speech/a/clips/x.wav", "s3://speech/a")
    'clips/x.wav'
    """
    clean = path if is_remote(path) else posixpath.normpath(path)
    prefix = root.rstrip("/") + "/"
    if clean.startswith(prefix):
        return clean[len(prefix) :]
    return clean


def resolve_audio(path: str, ingested_root: str, present_root: str | None) -> str:
    """Return the absolute path of a clip on this machine.

    Args:
        path: The path as the manifest table has it.
        ingested_root: The audio root when the manifest was ingested.
        present_root: The audio root of this machine, None where it has not moved.
    """
    relative = relative_audio(path, ingested_root)
    if relative.startswith("/") or is_remote(relative):
        return relative
    return posixpath.join(present_root or ingested_root, relative)
