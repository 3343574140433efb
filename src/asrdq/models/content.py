"""Which model it is: a hash of what its files hold, whatever they are called."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from asrdq.errors import ToolError

_DIGITS: Final = 16


def content_hash(model: Path) -> str:
    """Return the hash of a file, or of a folder with the names in it: 16 hexadecimal digits.

    Hidden files of a folder do not count.

    Raises:
        ToolError: It cannot be read.
    """
    try:
        if model.is_file():
            return _of_file(model)[:_DIGITS]
        whole = hashlib.sha256()
        for file in sorted(model.rglob("*")):
            name = file.relative_to(model)
            if file.is_file() and not any(part.startswith(".") for part in name.parts):
                whole.update(f"{name.as_posix()}\0{_of_file(file)}\n".encode())
    except OSError as error:
        raise ToolError(f"cannot be read: {error.strerror}", where=str(model)) from error
    return whole.hexdigest()[:_DIGITS]


def _of_file(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
