"""What the lint says of a recipe and its data, as a hand-off takes it: errors stand against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.handoff.refusals import Refusal

if TYPE_CHECKING:
    from asrdq.handoff.asked import Asked


@dataclass(frozen=True)
class Linted:
    """What the lint found.

    Attributes:
        findings: Every finding, in JSON types, as the provenance keeps it.
        refusals: Those that stand against a hand-off.
    """

    findings: tuple[dict[str, Any], ...]
    refusals: tuple[Refusal, ...]


def lint(asked: Asked) -> Linted:
    """Lint the recipe against the training manifest."""
    return Linted((), ())
