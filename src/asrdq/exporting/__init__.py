"""A manifest handed out with its audio: converted, named by content, and listed in a format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.exporting.conversion import Conversion, convert
    from asrdq.exporting.export import AudioExportResult, export_audio
    from asrdq.exporting.target import AudioTarget

__all__ = ["AudioExportResult", "AudioTarget", "Conversion", "convert", "export_audio"]

__getattr__ = lazy_names(
    __name__,
    {
        "conversion": ["Conversion", "convert"],
        "export": ["AudioExportResult", "export_audio"],
        "target": ["AudioTarget"],
    },
)
