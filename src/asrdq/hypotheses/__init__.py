"""Hypotheses: files of them, their sets in the table `hypotheses`, and whose each one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.hypotheses.ids import IdMatch, Ids
    from asrdq.hypotheses.loading import HypothesesResult, load_hypotheses
    from asrdq.hypotheses.names import check_set_name, set_name_of
    from asrdq.hypotheses.sets import HypothesisSet, hypothesis_sets, match_set, resolve
    from asrdq.hypotheses.tables import HYPOTHESES, TABLE

__all__ = [
    "HYPOTHESES",
    "TABLE",
    "HypothesesResult",
    "HypothesisSet",
    "IdMatch",
    "Ids",
    "check_set_name",
    "hypothesis_sets",
    "load_hypotheses",
    "match_set",
    "resolve",
    "set_name_of",
]

__getattr__ = lazy_names(
    __name__,
    {
        "ids": ["IdMatch", "Ids"],
        "loading": ["HypothesesResult", "load_hypotheses"],
        "names": ["check_set_name", "set_name_of"],
        "sets": ["HypothesisSet", "hypothesis_sets", "match_set", "resolve"],
        "tables": ["HYPOTHESES", "TABLE"],
    },
)
