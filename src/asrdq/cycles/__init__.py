"""A round from hand-off to advice, one stage after the other, gone on with where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.cycles.plan import CyclePlan
    from asrdq.cycles.result import CycleResult
    from asrdq.cycles.running import run_cycle

__all__ = ["CyclePlan", "CycleResult", "run_cycle"]

__getattr__ = lazy_names(
    __name__, {"plan": ["CyclePlan"], "result": ["CycleResult"], "running": ["run_cycle"]}
)
