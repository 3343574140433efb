"""Tables on disk, versions of manifests, provenance of runs, SQL over all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asrdq.workspace.cache import ContentCache
    from asrdq.workspace.initialise import InitResult
    from asrdq.workspace.runs import Run
    from asrdq.workspace.versions import ManifestVersion
    from asrdq.workspace.workspace import Workspace

_HOMES = {
    "ContentCache": "cache",
    "InitResult": "initialise",
    "ManifestVersion": "versions",
    "Run": "runs",
    "Workspace": "workspace",
}

__all__ = ["ContentCache", "InitResult", "ManifestVersion", "Run", "Workspace"]


def __getattr__(name: str) -> Any:
    """Import a public class when it is first asked for, so that this package costs nothing."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
