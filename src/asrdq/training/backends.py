"""Which trainers there are."""

from __future__ import annotations

from importlib.metadata import entry_points

from asrdq.errors import AsrdqError, ToolError, unknown
from asrdq.training.protocol import TrainingBackend

ENTRY_POINTS = "asrdq.backends"


def load_backend(name: str) -> TrainingBackend:
    """Build the trainer that an entry point of the group `asrdq.backends` names.

    Raises:
        UsageError: There is no such trainer.
        ToolError: It cannot be loaded, or is none. Nothing is put in its place.
    """
    found = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name not in found:
        raise unknown("backend", name, found)
    try:
        built = found[name].load()()
    except AsrdqError:
        raise
    except Exception as error:
        raise ToolError(
            f"the backend '{name}' cannot be loaded: {type(error).__name__}: {error}",
            hint="pip install 'asrdq[train]'",
        ) from error
    if not isinstance(built, TrainingBackend):
        raise ToolError(f"'{found[name].value}' is no backend for training")
    return built
