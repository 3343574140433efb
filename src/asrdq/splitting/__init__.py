"""Splits of a manifest into sides that share nothing they should not share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.splitting.plan import SideTarget, SplitPlan
    from asrdq.splitting.result import SplitResult
    from asrdq.splitting.split import split_manifest

__all__ = ["SideTarget", "SplitPlan", "SplitResult", "split_manifest"]

__getattr__ = lazy_names(
    __name__,
    {
        "plan": ["SideTarget", "SplitPlan"],
        "result": ["SplitResult"],
        "split": ["split_manifest"],
    },
)
