"""The workspace of a verb that can do without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


def workspace_if_any(path: str, *, needed: bool = False) -> Workspace | None:
    """Return the workspace; None where none was named, none is here, and none is needed.

    Raises:
        UsageError: One was named, and there is none.
    """
    from asrdq.errors import UsageError
    from asrdq.workspace import Workspace

    try:
        return Workspace.open(path)
    except UsageError:
        if needed or path != ".":
            raise
        return None
