"""Manifests in and out: formats, checks, ids, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.manifests.existence import listed_in, missing_here
    from asrdq.manifests.export import ExportResult, export_manifest
    from asrdq.manifests.ingest import IngestResult, ingest_manifest
    from asrdq.manifests.listing import ManifestList, list_manifests
    from asrdq.manifests.path_map import PathMap
    from asrdq.manifests.rewriting import Rewriting

__all__ = [
    "ExportResult",
    "IngestResult",
    "ManifestList",
    "PathMap",
    "Rewriting",
    "export_manifest",
    "ingest_manifest",
    "list_manifests",
    "listed_in",
    "missing_here",
]

__getattr__ = lazy_names(
    __name__,
    {
        "existence": ["listed_in", "missing_here"],
        "export": ["ExportResult", "export_manifest"],
        "ingest": ["IngestResult", "ingest_manifest"],
        "listing": ["ManifestList", "list_manifests"],
        "path_map": ["PathMap"],
        "rewriting": ["Rewriting"],
    },
)
