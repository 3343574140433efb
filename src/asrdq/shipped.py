"""Files that come with asrdq: default policies, expectation suites, sample data."""

from __future__ import annotations

from pathlib import Path

from asrdq.errors import ToolError, unknown

_PACKAGE = Path(__file__).parent
_FOLDERS = (_PACKAGE / "_shipped", _PACKAGE.parent.parent)


def shipped_folder(folder: str) -> Path:
    """Return a folder of shipped files: inside an installed package, or in the source tree.

    Raises:
        ToolError: The installation is incomplete.
    """
    for root in _FOLDERS:
        if (root / folder).is_dir():
            return root / folder
    raise ToolError(
        f"the shipped folder '{folder}' is missing", hint="install asrdq again; files are lost"
    )


def shipped_file(folder: str, name: str) -> Path:
    """Return one shipped file, such as `shipped_file("policies", "default.yaml")`.

    Raises:
        UsageError: The folder has no such file; the nearest one is named.
        ToolError: The installation is incomplete.
    """
    path = shipped_folder(folder) / name
    if not path.is_file():
        raise unknown(f"file in {folder}", name, (item.name for item in path.parent.iterdir()))
    return path
