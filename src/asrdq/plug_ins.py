"""Plug-ins: objects that entry points name, so that other packages can bring some."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from asrdq.errors import AsrdqError, ToolError, unknown


def find_plug_in(group: str, kind: str, name: str) -> EntryPoint:
    """Return the entry point of a name.

    Args:
        group: The group of entry points, such as `asrdq.aligners`.
        kind: What they name, for messages: "aligner".
        name: The name.

    Raises:
        UsageError: There is none; the nearest name is given.
    """
    found = {point.name: point for point in entry_points(group=group)}
    if name not in found:
        raise unknown(kind, name, found)
    return found[name]


def build_plug_in(point: EntryPoint, kind: str, *arguments: object, hint: str | None = None) -> Any:
    """Return what an entry point makes of the arguments; the caller sees whether it is one.

    Args:
        point: From `find_plug_in`.
        kind: What it is to make, for messages.
        arguments: What it takes.
        hint: What to do where it cannot be loaded or called.

    Raises:
        AsrdqError: What it raises itself.
        ToolError: It cannot be loaded, or raised something else.
    """
    try:
        return point.load()(*arguments)
    except AsrdqError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ToolError(
            f"the {kind} '{point.name}' cannot be built: {reason}", hint=hint
        ) from error
