"""Long recordings cut into pieces, each with the words that are spoken in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.cutting.cut import CutPlan, cut_manifest
    from asrdq.cutting.pieces import KeptBack
    from asrdq.cutting.result import CutResult

__all__ = ["CutPlan", "CutResult", "KeptBack", "cut_manifest"]

__getattr__ = lazy_names(
    __name__,
    {
        "cut": ["CutPlan", "cut_manifest"],
        "pieces": ["KeptBack"],
        "result": ["CutResult"],
    },
)
