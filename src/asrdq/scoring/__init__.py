"""Error rates of hypotheses, per utterance, term and group, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.scoring.leaderboard import Leaderboard, read_leaderboard
    from asrdq.scoring.plan import ScorePlan
    from asrdq.scoring.rates import ErrorCounts, Metric
    from asrdq.scoring.routing import Route, route
    from asrdq.scoring.score import ScoreResult, score_hypotheses

__all__ = [
    "ErrorCounts",
    "Leaderboard",
    "Metric",
    "Route",
    "ScorePlan",
    "ScoreResult",
    "read_leaderboard",
    "route",
    "score_hypotheses",
]

__getattr__ = lazy_names(
    __name__,
    {
        "leaderboard": ["Leaderboard", "read_leaderboard"],
        "plan": ["ScorePlan"],
        "rates": ["ErrorCounts", "Metric"],
        "routing": ["Route", "route"],
        "score": ["ScoreResult", "score_hypotheses"],
    },
)
