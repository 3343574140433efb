"""asrdq: is this speech data fit to train on, and can that verdict be trusted?

Example:
    >>> import asrdq
    >>> workspace = asrdq.open("my-workspace")  # doctest: +SKIP
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

__version__ = "0.1.0"

__all__ = ["__version__", "open"]


def open(path: str | PathLike[str] = ".") -> Workspace:
    """Open the workspace at a folder or at the nearest folder above it that has `asrdq.yaml`.

    Raises:
        UsageError: There is no workspace there.
    """
    from asrdq.workspace import Workspace

    return Workspace.open(path)
