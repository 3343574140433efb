"""Manifests in and out: formats, checks, ids, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.manifests.export import ExportResult, export_manifest
    from asrdq.manifests.ingest import IngestResult, ingest_manifest
    from asrdq.manifests.listing import ManifestList, list_manifests

__all__ = [
    "ExportResult",
    "IngestResult",
    "ManifestList",
    "export_manifest",
    "ingest_manifest",
    "list_manifests",
]

__getattr__ = lazy_names(
    __name__,
    {
        "export": ["ExportResult", "export_manifest"],
        "ingest": ["IngestResult", "ingest_manifest"],
        "listing": ["ManifestList", "list_manifests"],
    },
)
