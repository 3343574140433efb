"""Audits out of fold: each speaker is judged by a model that never heard them, taken or trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.folds.auditing import audit_out_of_fold
    from asrdq.folds.file import FOLDS_FILE, FoldModel, read_folds
    from asrdq.folds.training import FoldTraining

__all__ = ["FOLDS_FILE", "FoldModel", "FoldTraining", "audit_out_of_fold", "read_folds"]

__getattr__ = lazy_names(
    __name__,
    {
        "auditing": ["audit_out_of_fold"],
        "file": ["FOLDS_FILE", "FoldModel", "read_folds"],
        "training": ["FoldTraining"],
    },
)
