"""Tables on disk, versions of manifests, provenance of runs, SQL over all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.workspace.cache import ContentCache
    from asrdq.workspace.initialise import InitResult
    from asrdq.workspace.runs import Run
    from asrdq.workspace.versions import ManifestVersion
    from asrdq.workspace.workspace import Workspace

__all__ = [
    "ContentCache",
    "InitResult",
    "ManifestVersion",
    "Run",
    "Workspace",
]

__getattr__ = lazy_names(
    __name__,
    {
        "cache": ["ContentCache"],
        "initialise": ["InitResult"],
        "runs": ["Run"],
        "versions": ["ManifestVersion"],
        "workspace": ["Workspace"],
    },
)
