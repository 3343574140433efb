"""Versions of manifests: what changed between them, what made them, new ones from queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.versions.counting import Amount, Changes
    from asrdq.versions.derive import DeriveResult, derive_manifest
    from asrdq.versions.diff import DiffResult, changed_rows, diff_manifests
    from asrdq.versions.history import HistoryResult, manifest_history
    from asrdq.versions.tags import TagList, list_tags, tag_version, untag

__all__ = [
    "Amount",
    "Changes",
    "DeriveResult",
    "DiffResult",
    "HistoryResult",
    "TagList",
    "changed_rows",
    "derive_manifest",
    "diff_manifests",
    "list_tags",
    "manifest_history",
    "tag_version",
    "untag",
]

__getattr__ = lazy_names(
    __name__,
    {
        "counting": ["Amount", "Changes"],
        "derive": ["DeriveResult", "derive_manifest"],
        "diff": ["DiffResult", "changed_rows", "diff_manifests"],
        "history": ["HistoryResult", "manifest_history"],
        "tags": ["TagList", "list_tags", "tag_version", "untag"],
    },
)
