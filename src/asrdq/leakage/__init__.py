"""What two manifests share that they should not, and what one manifest holds twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.leakage.duplicates import DuplicateResult, find_duplicates
    from asrdq.leakage.leaks import LeakResult, find_leaks
    from asrdq.leakage.plan import LeakPlan

__all__ = ["DuplicateResult", "LeakPlan", "LeakResult", "find_duplicates", "find_leaks"]

__getattr__ = lazy_names(
    __name__,
    {
        "duplicates": ["DuplicateResult", "find_duplicates"],
        "leaks": ["LeakResult", "find_leaks"],
        "plan": ["LeakPlan"],
    },
)
