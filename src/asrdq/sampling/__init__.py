"""Strata, allocation and draws of a sample, and the rates estimated from one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.sampling.deciding import MoreClips, clips_to_decide
    from asrdq.sampling.estimators import (
        Instrument,
        Limit,
        Rate,
        StratumCount,
        corrected_rate,
        population_interval,
        sample_rate,
        wilson,
    )
    from asrdq.sampling.plan import SamplingPlan
    from asrdq.sampling.samples import (
        SampleResult,
        draw_sample,
        latest_sample,
        standing_sample,
        strata_hold,
    )

__all__ = [
    "Instrument",
    "Limit",
    "MoreClips",
    "Rate",
    "SampleResult",
    "SamplingPlan",
    "StratumCount",
    "clips_to_decide",
    "corrected_rate",
    "draw_sample",
    "latest_sample",
    "population_interval",
    "sample_rate",
    "standing_sample",
    "strata_hold",
    "wilson",
]

__getattr__ = lazy_names(
    __name__,
    {
        "deciding": ["MoreClips", "clips_to_decide"],
        "estimators": [
            "Instrument",
            "Limit",
            "Rate",
            "StratumCount",
            "corrected_rate",
            "population_interval",
            "sample_rate",
            "wilson",
        ],
        "plan": ["SamplingPlan"],
        "samples": [
            "SampleResult",
            "draw_sample",
            "latest_sample",
            "standing_sample",
            "strata_hold",
        ],
    },
)
