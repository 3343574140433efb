"""asrdq: is this speech data fit to train on, and can that verdict be trusted?

Example:
    >>> import asrdq
    >>> workspace = asrdq.open("my-workspace")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING

from asrdq.version import __version__

if TYPE_CHECKING:
    from asrdq.manifests.standalone import ManifestRows
    from asrdq.workspace import Workspace

__all__ = ["__version__", "open", "read_manifest"]


def open(path: str | PathLike[str] = ".") -> Workspace:
    """Open the workspace at a folder or at the nearest folder above it that has `asrdq.yaml`.

    Raises:
        UsageError: There is no workspace there.
    """
    from asrdq.workspace import Workspace

    return Workspace.open(path)


def read_manifest(
    path: str | PathLike[str],
    *,
    format_name: str = "auto",
    columns: Mapping[str, str] | None = None,
    audio_root: str | PathLike[str] | None = None,
) -> ManifestRows:
    """Read a manifest file without a workspace; ids, checks and types are those of an ingest.

    Args:
        path: The file or folder.
        format_name: A format's name, or `auto` to recognise it.
        columns: Canonical columns to the names that they have in the file.
        audio_root: Folder that audio paths are relative to; by default that of the file.

    Raises:
        DataError: There is no row that can be used.
        UsageError: Path, format or column are wrong, or the audio lies inside the file.

    Example:
        >>> asrdq.read_manifest("train.jsonl").pl()  # doctest: +SKIP
    """
    from asrdq.manifests.standalone import read_manifest as read

    return read(path, format_name=format_name, columns=columns, audio_root=audio_root)
