"""The workspace of a verb that can do without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


def workspace_if_any(path: str, *, needed: bool = False) -> Workspace | None:
    """Return the workspace; None where none was named, none is here, and none is needed.

    Raises:
        UsageError: There is none where one was named or is needed, or its settings are wrong.
    """
    from pathlib import Path

    from asrdq.settings import SETTINGS_FILE
    from asrdq.workspace import Workspace

    here = Path.cwd()
    found = any((at / SETTINGS_FILE).is_file() for at in (here, *here.parents))
    return Workspace.open(path) if needed or found or path != "." else None
