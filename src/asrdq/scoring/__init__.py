"""Error rates of hypotheses, per utterance, term and group, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.scoring.plan import ScorePlan
    from asrdq.scoring.rates import ErrorCounts, Metric
    from asrdq.scoring.score import ScoreResult, score_hypotheses

__all__ = [
    "ErrorCounts",
    "Metric",
    "ScorePlan",
    "ScoreResult",
    "score_hypotheses",
]

__getattr__ = lazy_names(
    __name__,
    {
        "plan": ["ScorePlan"],
        "rates": ["ErrorCounts", "Metric"],
        "score": ["ScoreResult", "score_hypotheses"],
    },
)
