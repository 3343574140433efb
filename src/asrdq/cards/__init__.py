"""Model cards: what the tables say of a trained model, for whoever is to use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.cards.plan import CardPlan
    from asrdq.cards.result import CardResult
    from asrdq.cards.write import write_card

__all__ = ["CardPlan", "CardResult", "write_card"]

__getattr__ = lazy_names(
    __name__,
    {"plan": ["CardPlan"], "result": ["CardResult"], "write": ["write_card"]},
)
