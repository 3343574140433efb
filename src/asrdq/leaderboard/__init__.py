"""Scored rates in their order, what to do next, and the same figures beside sclite's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.leaderboard.arranging import read_leaderboard
    from asrdq.leaderboard.board import Leaderboard
    from asrdq.leaderboard.route import Route
    from asrdq.leaderboard.routing import find_route

__all__ = ["Leaderboard", "Route", "find_route", "read_leaderboard"]

__getattr__ = lazy_names(
    __name__,
    {
        "arranging": ["read_leaderboard"],
        "board": ["Leaderboard"],
        "route": ["Route"],
        "routing": ["find_route"],
    },
)
