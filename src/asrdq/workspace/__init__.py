"""Tables on disk, versions of manifests, provenance of runs, SQL over all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.workspace.answer import Answer
    from asrdq.workspace.cache import ContentCache
    from asrdq.workspace.database import DatabaseResult
    from asrdq.workspace.initialise import InitResult
    from asrdq.workspace.lineage import Lineage, Parent
    from asrdq.workspace.runs import Run
    from asrdq.workspace.tags import Tag
    from asrdq.workspace.versions import ManifestVersion
    from asrdq.workspace.workspace import Workspace

__all__ = [
    "Answer",
    "ContentCache",
    "DatabaseResult",
    "InitResult",
    "Lineage",
    "ManifestVersion",
    "Parent",
    "Run",
    "Tag",
    "Workspace",
]

__getattr__ = lazy_names(
    __name__,
    {
        "answer": ["Answer"],
        "cache": ["ContentCache"],
        "database": ["DatabaseResult"],
        "initialise": ["InitResult"],
        "lineage": ["Lineage", "Parent"],
        "runs": ["Run"],
        "tags": ["Tag"],
        "versions": ["ManifestVersion"],
        "workspace": ["Workspace"],
    },
)
