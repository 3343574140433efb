"""Manifests in and out: formats, checks, ids, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asrdq.manifests.export import ExportResult, export_manifest
    from asrdq.manifests.ingest import IngestResult, ingest_manifest
    from asrdq.manifests.listing import ManifestList, list_manifests

_HOMES = {
    "ExportResult": "export",
    "IngestResult": "ingest",
    "ManifestList": "listing",
    "export_manifest": "export",
    "ingest_manifest": "ingest",
    "list_manifests": "listing",
}

__all__ = [
    "ExportResult",
    "IngestResult",
    "ManifestList",
    "export_manifest",
    "ingest_manifest",
    "list_manifests",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that this package costs nothing."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
