"""Which trainers there are."""

from __future__ import annotations

from asrdq.errors import ToolError
from asrdq.plug_ins import build_plug_in, find_plug_in
from asrdq.training.protocol import TrainingBackend

ENTRY_POINTS = "asrdq.backends"


def load_backend(name: str) -> TrainingBackend:
    """Build the trainer that an entry point of the group `asrdq.backends` names.

    Raises:
        UsageError: There is no such trainer.
        ToolError: It cannot be loaded, or is none. Nothing is put in its place.
    """
    point = find_plug_in(ENTRY_POINTS, "backend", name)
    built = build_plug_in(point, "backend", hint="pip install 'asrdq[train]'")
    if not isinstance(built, TrainingBackend):
        raise ToolError(f"'{point.value}' is no backend for training")
    return built
